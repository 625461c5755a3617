/*
 * Open Stage Control's server as a custom module sees it: node stage_host.js SESSION MODULE OWN_PORT
 * By lines of JSON. In: ["heard", address, args], ["press", id], ["choose", id, value], ["open"].
 * Out: ["sent", host, port, address, args], ["shown", id, value], ["error", words]. Args are {type, value}.
 * A module has no globals but those it is given, and widgets but those of the session.
 */
"use strict";
const fs = require("fs");
const vm = require("vm");
const readline = require("readline");
const { EventEmitter } = require("events");

const [, , sessionPath, modulePath, ownPort] = process.argv;
const widgets = JSON.parse(fs.readFileSync(sessionPath, "utf8")).content.widgets;
const app = new EventEmitter();
const custom = { exports: null };

function put(...line) {
    process.stdout.write(JSON.stringify(line) + "\n");
}

function widget(id) {
    return widgets.find((one) => one.id === id);
}

function asArgument(value) {
    if (value !== null && typeof value === "object" && value.type) {
        return value;
    }
    return typeof value === "number" ? { type: "f", value } : { type: "s", value: String(value) };
}

function receive(address, ...values) {
    const found = widgets.filter((one) => one.address === address);
    if (!found.length || values.length !== 1) {
        put("error", `no widget shows ${address} ${JSON.stringify(values)}`);
    }
    found.forEach((one) => put("shown", one.id, values[0]));
}

function fromWidget(one, args) {
    const [host, port] = one.target[0].split(":");
    const left = custom.exports.oscOutFilter({ address: one.address, args, host, port: Number(port), clientId: "c" });
    if (left) {
        put("error", `${one.address} went out as it was`);
    }
}

const lines = {
    heard(address, args) {
        const left = custom.exports.oscInFilter({ address, args, host: "127.0.0.1", port: 1 });
        if (left) {
            put("error", `${address} went to the widgets as it was`);
        }
    },
    press(id) {
        fromWidget(widget(id), []);
    },
    choose(id, word) {
        const one = widget(id);
        if (!Object.hasOwn(one.values, word)) {
            put("error", `${id} has no ${word}`);
        }
        fromWidget(one, [{ type: "s", value: one.values[word] }]);
    },
    open() {
        app.emit("sessionOpened", { path: sessionPath }, { address: "127.0.0.1", id: "c" });
    }
};

vm.runInContext(fs.readFileSync(modulePath, "utf8"), vm.createContext({
    app, receive, setInterval, setTimeout, clearInterval, clearTimeout, console, module: custom,
    send: (host, port, address, ...args) => put("sent", host, port, address, args.map(asArgument)),
    settings: { read: (name) => (name === "osc-port" ? Number(ownPort) : undefined) }
}), { filename: modulePath });
custom.exports.init();

readline.createInterface({ input: process.stdin }).on("line", (line) => {
    const [name, ...rest] = JSON.parse(line);
    lines[name](...rest);
}).on("close", () => process.exit(0));
