// Max around the script: inlets, outlets, tasks, a clock that is set by hand, and a language that ends at ES5.
"use strict";
const fs = require("node:fs");
const vm = require("node:vm");
const { FakeLive, liveApiOf } = require("./fake_live.js");

// The script, put together by conftest.py.
const SCRIPT = process.env.STEMBRIDGE_DEVICE_SCRIPT;
const LONGEST_SYMBOL = 2047;

// Leaves what ECMAScript 5.1 has; Max's js has no more.
const TO_ES5 = `(function () {
    var kept = {
        Array: ["isArray"], String: ["fromCharCode"], Number: ["MAX_VALUE", "MIN_VALUE", "NaN"],
        Object: ["getPrototypeOf", "getOwnPropertyNames", "create", "defineProperty", "defineProperties", "freeze",
            "isFrozen", "keys", "seal"]
    };
    var keptMethods = {
        Array: ["concat", "join", "pop", "push", "reverse", "shift", "slice", "sort", "splice", "unshift", "indexOf",
            "lastIndexOf", "every", "some", "forEach", "map", "filter", "reduce", "reduceRight", "toString"],
        String: ["charAt", "charCodeAt", "concat", "indexOf", "lastIndexOf", "match", "replace", "search", "slice",
            "split", "substring", "toLowerCase", "toUpperCase", "trim", "toString", "valueOf", "localeCompare"]
    };
    function strip(object, names) {
        Object.getOwnPropertyNames(object).forEach(function (name) {
            if (["length", "name", "prototype", "constructor"].concat(names).indexOf(name) < 0) {
                delete object[name];
            }
        });
    }
    var all = Object.keys(kept);
    Object.keys(keptMethods).forEach(function (name) { strip(globalThis[name].prototype, keptMethods[name]); });
    all.forEach(function (name) { strip(globalThis[name], kept[name]); });
    ["Map", "Set", "WeakMap", "WeakSet", "Promise", "Proxy", "Reflect", "BigInt", "Intl", "WebAssembly", "console",
        "globalThis"].forEach(function (name) { delete globalThis[name]; });
})();`;

class FakeMax {
    constructor(live = new FakeLive(), seed = 1) {
        this.live = live;
        this.nowMs = 1_000_000_000;
        this.setBackMs = 0;
        this.tasks = new Set();
        this.heard = [[], [], []];
        this.opened = [];
        this.seed = seed;
        this.onSent = () => {};
        this.context = vm.createContext(this.globals());
        vm.runInContext(TO_ES5, this.context);
        vm.runInContext("Date = FakeDate; Math.random = fakeRandom;", this.context);
        vm.runInContext(fs.readFileSync(SCRIPT, "utf8"), this.context, { filename: "stembridge.js" });
    }

    globals() {
        const max = this;
        const silent = (name) => () => { throw new Error(`${name} in the console: the device prints nothing`); };
        return {
            outlet: (index, ...said) => max.say(index, said.length === 1 && isArray(said[0]) ? said[0] : said),
            arrayfromargs: (...args) => args.flatMap((arg) => (isArguments(arg) ? Array.from(arg) : [arg])),
            max: { launchbrowser: (url) => max.opened.push(url) },
            post: silent("post"), error: silent("error"), messagename: "",
            LiveAPI: liveApiOf(this.live),
            Task: taskOf(this),
            FakeDate: class { getTime() { return max.nowMs - max.setBackMs; } },
            fakeRandom: () => max.random()
        };
    }

    random() {
        this.seed = (this.seed * 48271) % 2147483647;
        return this.seed / 2147483647;
    }

    /** What the script says: symbols and numbers alone, none too long. */
    say(index, message) {
        for (const atom of message) {
            const isSymbol = typeof atom === "string" && Buffer.byteLength(atom) <= LONGEST_SYMBOL;
            if (!isSymbol && !Number.isFinite(atom)) {
                throw new Error(`outlet ${index}: ${JSON.stringify(atom)} is no atom, in ${JSON.stringify(message)}`);
            }
        }
        this.heard[index].push(Array.from(message));
        this.onSent(index, Array.from(message));
    }

    /** A message to an inlet, as Max gives it: to the function of its name, else to `anything`. */
    send(inlet, name, ...args) {
        const found = this.context[name];
        const isMessage = typeof found === "function" && !found.local && Object.hasOwn(this.context, name);
        this.context.messagename = name;
        this.context.inlet = inlet;
        (isMessage ? found : this.context.anything)(...args);
    }

    ready() {
        this.live.isReady = true;
        this.send(0, "ready");
    }

    /** Let time pass, and what is due with it. */
    pass(ms) {
        const end = this.nowMs + ms;
        for (;;) {
            const due = [...this.tasks].filter((task) => task.dueMs <= end).sort((a, b) => a.dueMs - b.dueMs)[0];
            if (!due) {
                break;
            }
            this.tasks.delete(due);
            this.nowMs = Math.max(this.nowMs, due.dueMs);
            due.act.call(due.owner);
        }
        this.nowMs = end;
    }

    /** What the display shows now of one kind: the arguments of the last such message. */
    shown(kind) {
        const last = this.heard[2].filter((message) => message[0] === kind).pop();
        return last && last.slice(1);
    }

    /** What was said to the service since the last call: without the address' prefix. */
    asked() {
        return this.heard[0].splice(0).map(([address, ...args]) => [address.replace("/stembridge/", ""), ...args]);
    }
}

// Values of the script's world are of other constructors than ours.
const isArray = (value) => Object.prototype.toString.call(value) === "[object Array]";
const isArguments = (value) => Object.prototype.toString.call(value) === "[object Arguments]";

function taskOf(max) {
    return class Task {
        constructor(act, owner) {
            Object.assign(this, { act, owner });
        }

        schedule(afterMs) {
            if (!(afterMs >= 1)) {
                throw new Error(`a task after ${afterMs} ms would never let go`);
            }
            this.dueMs = max.nowMs + afterMs;
            max.tasks.add(this);
        }

        cancel() {
            max.tasks.delete(this);
        }
    };
}

module.exports = { FakeMax };
