"use strict";
const { test } = require("node:test");
const assert = require("node:assert/strict");
const { FakeService, connected, delivered } = require("./service.js");
const { FakeLive } = require("./fake_live.js");
const { FakeMax } = require("./fake_max.js");

const named = (max, name) => max.heard[0].filter(([address]) => address === `/stembridge/${name}`);
const ports = (max) => max.heard[1].map(([, port]) => port);
const HEARTBEAT_MS = 10_000;

/** A device whose service is not there yet. */
function alone(seed = 1) {
    const live = new FakeLive();
    live.deviceOn(live.track("Song"));
    const max = new FakeMax(live, seed);
    const service = new FakeService(max);
    service.isUp = false;
    max.ready();
    return { max, service, live };
}

test("a command is sent again with the same seq, less and less often, until it is answered", () => {
    const { max, service } = connected();
    service.isUp = false;
    max.heard[0].length = 0;
    max.send(0, "process_newest");
    const times = [];
    service.max.onSent = (outlet, [address, , seq]) => {
        if (address === "/stembridge/process_newest") {
            times.push([max.nowMs, seq]);
        }
    };
    const start = max.nowMs;
    max.pass(5000);
    assert.deepEqual(times.map(([at]) => at - start), [100, 300, 700, 1500, 2500, 3500, 4500]);
    assert.equal(new Set(times.map(([, seq]) => seq)).size, 1);
});

test("an answer ends the sending, however often it comes", () => {
    const { max, service } = connected();
    max.send(0, "process_newest");
    service.take(named(max, "process_newest")[0]);
    max.pass(9000);
    assert.equal(named(max, "process_newest").length, 1);
    assert.equal(named(max, "files").length, 0);
});

test("after three unheard repeats hello is said before the next, after an ack it is not", () => {
    for (const [isAcked, hellos] of [[false, 1], [true, 0]]) {
        const { max, service } = connected();
        service.isLossy = (way, name) => name === "process_newest" && !isAcked;
        service.isDelayed.add("process_newest");
        max.heard[0].length = 0;
        max.send(0, "process_newest");
        max.pass(1000);
        assert.equal(named(max, "hello").length, hellos);
    }
});

for (const code of ["busy", "closing"]) {
    test(`after ${code} the same is sent again a second later`, () => {
        const { max, service } = connected();
        service.answers = () => [["refused", code, "Not now."]];
        max.heard[0].length = 0;
        max.send(0, "process_newest");
        max.pass(999);
        assert.equal(named(max, "process_newest").length, 1);
        delete service.answers;
        service.seen.clear();
        max.pass(2);
        const [first, second] = named(max, "process_newest");
        assert.deepEqual(first, second);
        assert.deepEqual([max.shown("song"), max.shown("error")], [["Night Drive"], [""]]);
    });
}

test("a command that nobody answers is given up after half a minute, in words", () => {
    const { max, service } = connected();
    service.isLossy = (way, name) => name === "process_newest";
    max.send(0, "process_newest");
    assert.deepEqual(max.shown("stage"), ["Asking for it"]);
    max.pass(31_500);
    assert.match(max.shown("error")[0], /did not answer/);
    assert.deepEqual(max.shown("stage"), ["Ready"]);
    max.heard[0].length = 0;
    max.pass(5000);
    assert.equal(named(max, "process_newest").length, 0);
});

test("answers to other clients are not heard", () => {
    const { max, service } = connected();
    service.isDelayed.add("process_newest");
    max.send(0, "process_newest");
    const seq = named(max, "process_newest")[0][2];
    max.send(1, "/stembridge/accepted", "somebody", seq, "theirs", 1, "PENDING", "Their Song");
    assert.deepEqual(max.shown("song"), [""]);
});

test("what is no message of the service is passed over", () => {
    const { max } = connected();
    const before = max.heard[2].length;
    for (const message of [
        ["/stembridge/done"], ["/stembridge/nonsense", 1], ["/other/done", 1, "e1", "j", 0, 1, "f", "t"],
        ["/stembridge/constructor", 1], ["/stembridge/progress", 1, "e1", "job"], ["list", 1, 2]
    ]) {
        max.send(1, ...message);
    }
    assert.equal(max.heard[2].length, before);
});

// lamp, ports, restarts

test("the lamp asks, then is away, and says what to do; it comes back with the service", () => {
    const { max, service } = alone();
    assert.deepEqual([max.shown("lamp"), max.shown("stage")], [[1], ["Looking for stembridge"]]);
    max.pass(4000);
    assert.deepEqual(max.shown("lamp"), [0]);
    assert.deepEqual(max.shown("stage"), ["stembridge is away. Start it: stembridge serve"]);
    service.isUp = true;
    max.pass(1100);
    assert.deepEqual([max.shown("lamp"), max.shown("stage")], [[2], ["Ready"]]);
});

test("while it is away the lamp does not flicker, and little is sent", () => {
    const { max } = alone();
    max.pass(60_000);
    assert.deepEqual(max.heard[2].filter(([kind]) => kind === "lamp").map(([, lamp]) => lamp), [1, 0]);
    assert.ok(named(max, "hello").length < 110, `${named(max, "hello").length}`);
    assert.equal(max.heard[0].length, named(max, "hello").length, "and nothing else");
});

test("a port at which no welcome comes is given up for another, and the new one is told", () => {
    const { max, service } = alone();
    const taken = service.port;
    service.isUp = true;
    service.isLossy = () => service.port === taken;
    max.pass(7000);
    assert.deepEqual(max.shown("lamp"), [2]);
    assert.equal(ports(max).length, 2);
    assert.ok(ports(max).every((port) => port >= 20_000 && port < 60_000 && Number.isInteger(port)));
});

test("a port that was good is kept while the service is away, and its return is seen within a second", () => {
    for (let awayMs = 20_000; awayMs < 80_000; awayMs += 1700) {
        const { max, service } = connected();
        service.isUp = false;
        max.pass(awayMs);
        service.restart();
        max.pass(1001);
        assert.deepEqual([awayMs, ports(max).length, max.shown("lamp")], [awayMs, 1, [2]]);
    }
});

test("devices of one set take names and ports of their own, also when they load at the same moment", () => {
    const live = new FakeLive();
    const track = live.track("Song");
    const hellos = [1, 2, 3].map(() => {
        live.deviceOn(track);
        const max = new FakeMax(live, 7);  // even with the same randomness
        new FakeService(max);
        max.ready();
        return named(max, "hello")[0];
    });
    assert.equal(new Set(hellos.map(([, client]) => client)).size, 3);
    assert.ok(hellos.every(([, client]) => /^[A-Za-z0-9._-]{1,64}$/.test(client)));
    assert.equal(new Set(hellos.map(([, , , port]) => port)).size, 3);
});

test("a restarted service is found by silence, and the job goes on", () => {
    const { max, service } = connected();
    max.send(0, "process_newest");
    service.event("started", "job1", 1);
    service.restart();
    service.rows = [["job1", "PROCESSING", "separate", 0.4, "Night Drive", "full", 0]];
    max.pass(HEARTBEAT_MS + 1500);
    assert.deepEqual([max.shown("lamp"), max.shown("progress")], [[2], [0.4]]);
    service.done();
    assert.deepEqual(max.shown("can_import"), [1]);
});

for (const notice of ["unknown_client", "closing"]) {
    test(`after ${notice} it says hello and subscribes again`, () => {
        const { max, service } = connected();
        const name = notice === "closing" ? "e1" : service.client;
        service.restart();
        max.heard[0].length = 0;
        max.send(1, `/stembridge/${notice}`, name);
        max.pass(2000);
        assert.equal(named(max, "hello").length, 1);
        assert.equal(named(max, "subscribe").length >= 1, true);
        service.event("queued", "late", "Late Song", "full");
        assert.deepEqual(max.shown("song"), ["Late Song"]);
    });
}

test("a notice for another client changes nothing", () => {
    const { max } = connected();
    max.heard[0].length = 0;
    max.send(1, "/stembridge/unknown_client", "somebody");
    max.pass(2000);
    assert.deepEqual(max.heard[0], []);
});

test("a subscription that ended is seen by the pong", () => {
    const { max, service } = connected();
    service.on_ping = () => [["pong", "e1", 0, 0]];
    max.heard[0].length = 0;
    max.pass(HEARTBEAT_MS + 100);
    const counts = ["ping", "hello", "subscribe"].map((name) => named(max, name).length);
    assert.deepEqual(counts, [1, 1, 1]);
});

test("a clock that is set back by hours stops nothing", () => {
    const { max, service } = connected();
    service.isLossy = (way, name) => name === "process_newest";
    max.pass(3 * HEARTBEAT_MS);
    max.setBackMs = 7_200_000;
    max.send(0, "process_newest");
    max.heard[0].length = 0;
    max.pass(HEARTBEAT_MS);
    assert.ok(named(max, "process_newest").length >= 10);
    assert.equal(named(max, "ping").length, 1);
    max.setBackMs = 0;
    max.pass(HEARTBEAT_MS);
    assert.deepEqual(max.shown("lamp"), [2]);
});

test("at rest one ping is sent a heartbeat, and the display is left alone", () => {
    const { max } = connected();
    max.heard.forEach((heard) => { heard.length = 0; });
    max.pass(10 * HEARTBEAT_MS + 1);
    assert.equal(max.heard[0].length, 10);
    assert.deepEqual(max.heard[2], []);
});

// events

test("a lost event is asked for again, and everything is told in its order", () => {
    const { max, service } = connected();
    service.event("queued", "job1", "Night Drive", "full");
    service.isLossy = (way, name) => name === "started";
    service.event("started", "job1", 1);
    service.isLossy = () => false;
    const stages = () => max.heard[2].filter(([kind]) => kind === "stage").map(([, words]) => words);
    const from = stages().length;
    service.event("stage", "job1", "separate", "Separating", 0.1);
    assert.deepEqual(stages().slice(from), ["Starting", "Separating"]);
});

test("events that are lost, late and twice are told once each, in their order", () => {
    for (let seed = 1; seed <= 200; seed += 1) {
        const { max, service } = connected({ seed });
        let drawn = seed * 7919;
        const isDrawn = (share) => {
            drawn = (drawn * 48271) % 2147483647;
            return drawn / 2147483647 < share;
        };
        service.event("queued", "job1", "Night Drive", "full");
        service.isLossy = () => isDrawn(0.25);
        service.isLate = () => isDrawn(0.25);
        const words = Array.from({ length: 20 }, (_, at) => `Stage ${at}`);
        for (const word of words) {
            service.event("stage", "job1", "mix", word, 0.5);
            if (isDrawn(0.2)) {
                const { name, values } = service.kept[service.kept.length - 1];
                service.tell(name, ...values);
            }
        }
        Object.assign(service, { isLossy: () => false, isLate: () => false });
        service.tell("beat", "e1", service.last);
        max.pass(2 * HEARTBEAT_MS);
        const told = max.heard[2].filter(([kind, text]) => kind === "stage" && text.startsWith("Stage "));
        assert.deepEqual([seed, told.map(([, text]) => text)], [seed, words]);
    }
});

test("a beat tells of a lost last event", () => {
    const { max, service } = connected();
    service.isLossy = (way, name) => name === "queued";
    service.event("queued", "job1", "Night Drive", "full");
    service.isLossy = () => false;
    assert.deepEqual(max.shown("song"), [""]);
    service.tell("beat", "e1", service.last);
    assert.deepEqual(max.shown("song"), ["Night Drive"]);
});

test("an event twice is told once, one of another epoch not at all", () => {
    const { max, service } = connected();
    service.event("queued", "job1", "Night Drive", "full");
    service.event("started", "job1", 1);
    const before = max.heard[2].length;
    max.send(1, "/stembridge/queued", 2, "e1", "job1", 0, "Night Drive", "full");
    max.send(1, "/stembridge/failed", 99, "e0", "job1", 4, "InputError", "Of another run of the service.");
    assert.equal(max.heard[2].length, before);
    assert.equal(named(max, "events").length, 0, "nothing is missing");
});

test("a restarted service is found by a command, too, and followed", () => {
    const { max, service } = connected();
    service.restart();
    max.send(0, "process_newest");
    max.pass(2000);
    service.event("stage", "job1", "separate", "Separating", 0.1);
    assert.deepEqual(max.shown("stage"), ["Separating"]);
});

test("a state that was lost is asked for again", () => {
    let lost = 0;
    const { max } = connected({ prepare: (made, service) => {
        service.rows = [["a", "PENDING", "", 0, "First", "full", 0]];
        service.isLossy = (way, name) => name === "resync" && (lost += 1) < 3;
    } });
    assert.deepEqual([max.shown("song"), named(max, "subscribe").length], [[""], 1]);
    max.pass(250);
    assert.deepEqual([max.shown("song"), named(max, "subscribe").length], [["First"], 3]);
});

test("what happened while the subscription had ended is asked for", () => {
    const { max, service } = connected();
    service.isLossy = () => true;
    service.event("queued", "job1", "Night Drive", "full");
    service.isLossy = () => false;
    max.send(1, "/stembridge/unknown_client", service.client);
    assert.deepEqual(max.shown("song"), ["Night Drive"]);
});

test("a state that is older than what was told changes nothing", () => {
    const { max, service } = connected();
    service.event("queued", "job1", "Night Drive", "full");
    service.event("stage", "job1", "mix", "Mixing", 0.5);
    service.tell("resync", "e1", 1, 0, 1, "job1", "PENDING", "", 0, "Night Drive", "full", 0);
    assert.deepEqual([max.shown("progress"), max.shown("stage")], [[0.5], ["Mixing"]]);
});

test("an event may come before the answer that names its job", () => {
    const { max, service } = connected();
    service.isDelayed.add("process_newest");
    max.send(0, "process_newest");
    service.event("queued", "job1", "Night Drive", "full");
    service.event("stage", "job1", "separate", "Separating", 0.1);
    service.isDelayed.clear();
    max.pass(200);
    assert.deepEqual(max.shown("stage"), ["Separating"]);
});

test("a late answer to an older press does not take the display from a newer one", () => {
    const { max, service } = connected();
    service.isLossy = (way, name) => way === "reply" && ["accepted", "ack"].includes(name);
    max.send(0, "process_newest");
    service.event("queued", "job1", "First Song", "full");
    max.send(0, "cancel");
    service.event("cancelled", "job1", "Cancelled from the OSC door.");
    max.send(0, "process_newest");
    service.event("queued", "job2", "Second Song", "full");
    assert.deepEqual([max.shown("stage"), max.shown("can_cancel")], [["Asking for it"], [1]]);
    service.isLossy = () => false;
    service.take(named(max, "process_newest")[0]);
    assert.deepEqual([max.shown("stage"), max.shown("can_cancel")], [["Asking for it"], [1]]);
    max.pass(2000);
    assert.deepEqual([max.shown("stage"), max.shown("can_cancel")], [["Waiting for its turn"], [1]]);
    max.send(0, "cancel");
    assert.deepEqual(service.requests.filter(([name]) => name === "cancel"), [["cancel", "job1"], ["cancel", "job2"]]);
});

test("what a job made is asked for once, and not of the jobs of others", () => {
    const { max, service } = connected();
    max.send(0, "process_newest");
    service.isDelayed.add("files").add("figures");
    service.done();
    service.event("note", "job1", "qa", "A note.");
    service.event("done", "theirs", 4, "/elsewhere", "Other Song");
    assert.deepEqual(["files", "figures"].map((name) => named(max, name).length), [1, 1]);
});

test("the state in several parts counts when all are there, in any order, and once", () => {
    const { max, service } = connected();
    const row = (job, title) => [job, "PENDING", "", 0, title, "full", 0];
    const part = (number, rows) => service.tell("resync", "e1", 40, number, 2, ...rows.flat());
    part(1, [row("b", "Second")]);
    part(1, [row("b", "Second")]);
    assert.deepEqual(max.shown("song"), [""]);
    part(0, [row("a", "First")]);
    assert.deepEqual(max.shown("song"), ["Second"]);
});

test("a state that comes twice hides no gap", () => {
    const { max, service } = connected();
    service.isLossy = (way, name) => ["queued", "events_told"].includes(name);
    service.event("queued", "job1", "Night Drive", "full");
    service.event("started", "job1", 1);
    service.isLossy = () => false;
    service.tell("resync", "e1", 0, 0, 1);
    max.pass(2000);
    assert.deepEqual(max.shown("stage"), ["Starting"]);
});

test("of many jobs the one at work is shown, else the newest", () => {
    for (const [states, song] of [
        [["SUCCESS", "PROCESSING", "PENDING", "PENDING"], "Song 1"], [["SUCCESS", "PENDING", "PENDING"], "Song 2"]
    ]) {
        const { max } = connected({ prepare: (made, service) => {
            service.rows = states.map((state, at) => [`j${at}`, state, "mix", 0.5, `Song ${at}`, "full", 0]);
        } });
        assert.deepEqual(max.shown("song"), [song]);
    }
});

test("a job of which nothing was told before its events is asked for its title, once", () => {
    const { max, service } = connected();
    service.isDelayed.add("status");
    service.event("started", "theirs", 1);
    service.event("stage", "theirs", "mix", "Mixing", 0.5);
    assert.deepEqual([max.shown("song"), named(max, "status").length], [[""], 1]);
    service.isDelayed.clear();
    service.on_status = (job) => [["job", job, "PROCESSING", "mix", 0.5, "Night Drive", "full", 1, 0, "", ""]];
    service.seen.clear();
    max.pass(200);
    assert.deepEqual([max.shown("song"), max.shown("stage")], [["Night Drive"], ["Mixing"]]);
});

test("what a job did before the service was started anew is not said of its end", () => {
    const { max, service } = connected();
    max.send(0, "process_newest");
    service.event("progress", "job1", 0.25, 65, "separate", "Separating");
    service.restart();
    service.rows = [["job1", "SUCCESS", "deliver", 1, "Night Drive", "full", 4]];
    max.send(1, "/stembridge/unknown_client", service.client);
    max.pass(2000);
    assert.deepEqual(max.shown("stage"), ["Done. 4 stems to import"]);
});

test("an answer about a job that comes after its end does not turn it back", () => {
    const { max, service } = connected();
    service.on_status = (job) => [["job", job, "PROCESSING", "mix", 0.5, "Night Drive", "full", 1, 0, "", ""]];
    service.isDelayed.add("status");
    service.event("started", "theirs", 1);
    service.done("theirs");
    service.isDelayed.clear();
    max.pass(200);
    assert.deepEqual([max.shown("song"), max.shown("progress"), max.shown("can_cancel")], [["Night Drive"], [1], [0]]);
});

test("a job that ended unseen, and is not in the state that is told, is asked for", () => {
    const { max, service } = connected();
    service.jobs = 0;
    max.send(0, "process_newest");
    service.restart();
    service.rows = [["other", "SUCCESS", "deliver", 1, "Other", "full", 1]];
    max.send(1, "/stembridge/unknown_client", service.client);
    max.pass(2000);
    assert.deepEqual([max.shown("song"), max.shown("can_import")], [["Night Drive"], [1]]);
});

test("why a job failed while nobody listened is asked for", () => {
    const { max } = connected({ prepare: (made, service) => {
        service.rows = [["old", "FAILED", "ingest", 0, "Night Drive", "full", 0]];
        service.on_status = (job) => [
            ["job", job, "FAILED", "ingest", 0, "Night Drive", "full", 1, 0, "", "night.wav is silent."]
        ];
    } });
    assert.deepEqual([max.shown("stage"), max.shown("error")], [["Failed"], ["night.wav is silent."]]);
});

test("a failure that was told is not asked for again", () => {
    const { max, service } = connected();
    max.send(0, "process_newest");
    service.failed("job1", "night.wav is silent.");
    assert.equal(named(max, "status").length, 1, "whether it delivered stems all the same");
    service.restart();
    service.rows = [["job1", "FAILED", "ingest", 0, "Night Drive", "full", 0]];
    max.pass(2 * HEARTBEAT_MS);
    assert.deepEqual([max.shown("lamp"), named(max, "status").length], [[2], 1]);
});

test("names that do not all come leave the menu as it is", () => {
    const { max } = connected({ prepare: (made, service) => {
        service.on_recipes = (offset = 0) => (offset ? [["refused", "internal", "A fault."]]
            : [["recipe_list", 2, 0, "mine", "title", ""]]);
    } });
    assert.ok(max.shown("recipes").includes("master-only"), "as shipped");
});

test("a thousand jobs of others leave its own in sight, and are forgotten", () => {
    const { max, service } = connected();
    max.send(0, "process_newest");
    for (let at = 0; at < 1000; at += 1) {
        service.event("queued", `theirs${at}`, "Other Song", "full");
    }
    service.event("stage", "job1", "mix", "Mixing", 0.5);
    assert.deepEqual([max.shown("song"), max.shown("stage")], [["Night Drive"], ["Mixing"]]);
    assert.ok(Object.keys(max.context.device.jobs.byId).length <= 101);
});

for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
    test(`with a third of all messages lost both ways each command takes effect once (${seed})`, () => {
        const { max, service, live } = delivered({ seed });
        let drawn = seed;
        service.isLossy = () => {
            drawn = (drawn * 48271) % 2147483647;
            return drawn % 3 === 0;
        };
        service.requests.length = 0;
        for (let round = 2; round < 8; round += 1) {
            max.send(0, "process_newest");
            max.pass(4000);
            service.event("started", `job${round}`, 1);
            service.event("progress", `job${round}`, 0.5, -1, "mix", "Mixing");
            service.done(`job${round}`);
            service.tell("beat", "e1", service.last);
            max.pass(HEARTBEAT_MS);
            service.tell("beat", "e1", service.last);
            max.pass(HEARTBEAT_MS);
        }
        assert.equal(service.requests.filter(([name]) => name === "process_newest").length, 6);
        service.isLossy = () => false;
        max.pass(3 * HEARTBEAT_MS);
        assert.deepEqual([max.shown("can_import"), max.shown("progress"), max.shown("lamp")], [[1], [1], [2]]);
        max.send(0, "import_stems");
        assert.deepEqual(live.errors, []);
    });
}
