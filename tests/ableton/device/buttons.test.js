"use strict";
const { test } = require("node:test");
const assert = require("node:assert/strict");
const vm = require("node:vm");
const { connected, delivered } = require("./service.js");
const { FakeLive } = require("./fake_live.js");
const { FakeMax } = require("./fake_max.js");

const requests = (service, name) => service.requests.filter((request) => request[0] === name);

test("nothing is asked of Live and nothing said to the service before live.thisdevice", () => {
    const max = new FakeMax();
    max.send(0, "kept_recipe", "quick");
    max.send(0, "import_to", 1);
    max.send(0, "tempo", 1);
    max.send(0, "process_newest");
    max.send(0, "import_stems");
    max.send(1, "/stembridge/beat", "e1", 3);
    max.pass(60_000);
    assert.deepEqual([max.heard[0], max.heard[1], max.live.errors], [[], [], []]);
});

test("the script is tried in a world that ends at ES5", () => {
    const world = (words) => vm.runInContext(words, new FakeMax().context);
    const newer = world("[[].includes, ''.startsWith, Object.assign, this.Map]");
    assert.deepEqual(Array.from(newer), Array(4).fill(undefined));
    assert.equal(world("[1, 2].map(String).join(' ').replace(/ /g, '')"), "12");
});

test("hello, subscription and menus come with ready, once, and the set is left as it is", () => {
    const { max, live, service } = connected();
    assert.deepEqual([live.undo, live.errors, max.heard[2].filter(([kind]) => kind.startsWith("keep_"))], [[], [], []]);
    max.send(0, "ready");
    assert.deepEqual(max.shown("lamp"), [2]);
    assert.deepEqual(max.shown("stage"), ["Ready"]);
    assert.deepEqual(max.shown("recipes"), ["automatic", "full", "quick", "stems-only", "mine"]);
    assert.deepEqual(max.shown("targets"), ["automatic", "streaming", "club"]);
    assert.equal(requests(service, "hello").length, 1);
    assert.equal(requests(service, "subscribe").length, 1);
});

test("process newest goes to the set's project with what the menus say", () => {
    const { max, service } = connected();
    max.send(0, "recipe", 2);
    max.send(0, "target", 2);
    max.send(0, "process_newest");
    const [request] = requests(service, "process_newest");
    assert.deepEqual(request, ["process_newest", "quick", "/sets/Night/Night.als", "club"]);
    assert.deepEqual(max.shown("song"), ["Night Drive"]);
    assert.deepEqual(max.shown("stage"), ["Waiting for its turn"]);
    assert.deepEqual([max.shown("can_cancel"), max.shown("can_import")], [[1], [0]]);
    assert.deepEqual(max.shown("error"), [""]);
});

test("an unsaved set is told so, and is processed", () => {
    const { max, service } = connected({ live: new FakeLive({ path: "" }) });
    max.send(0, "process_newest");
    assert.deepEqual(requests(service, "process_newest"), [["process_newest"]]);
    assert.match(max.shown("error")[0], /^Save the set first/);
});

test("a Live that does not tell the set's file is no unsaved set", () => {
    const { max, live, service } = connected({ live: new FakeLive({ version: [11, 2, 0] }) });
    max.send(0, "process_newest");
    assert.deepEqual(requests(service, "process_newest"), [["process_newest"]]);
    assert.deepEqual([max.shown("error"), live.errors], [[""], []]);
});

test("a dropped file is processed as Max writes it, spaces and all", () => {
    const { max, service } = connected();
    max.send(0, "process_file", "Macintosh HD:/Users/me/Night Drive.wav");
    max.send(0, "process_file", "C:/Music/Night", "Drive.wav");
    const paths = requests(service, "process").map((request) => request[1]);
    assert.deepEqual(paths, ["Macintosh HD:/Users/me/Night Drive.wav", "C:/Music/Night Drive.wav"]);
});

test("the selected clip's file is processed", () => {
    const { max, live, service } = connected();
    live.select(live.clip(live.tracks[0], { file_path: "/songs/Night Drive.mp3" }));
    max.send(0, "process_clip");
    const [request] = requests(service, "process");
    assert.deepEqual(request, ["process", "/songs/Night Drive.mp3", "", "/sets/Night/Night.als"]);
});

test("without a selected clip the highlighted slot's is taken", () => {
    const { max, live, service } = connected();
    live.clip(live.tracks[0], { file_path: "/songs/Night Drive.mp3", slot: 1 });
    live.song.view.children.highlighted_clip_slot = live.tracks[0].lists.clip_slots[1];
    max.send(0, "process_clip");
    assert.equal(requests(service, "process")[0][1], "/songs/Night Drive.mp3");
});

for (const [what, values, words] of [
    ["no clip", null, /^No clip is selected/],
    ["a MIDI clip", {}, /^The selected clip is MIDI/],
    ["a clip without a file", { file_path: "" }, /has no file yet/]
]) {
    test(`process clip with ${what} says what to do`, () => {
        const { max, live, service } = connected();
        live.select(values && live.clip(live.tracks[0], values));
        max.send(0, "process_clip");
        assert.match(max.shown("error")[0], words);
        assert.deepEqual([requests(service, "process"), live.errors], [[], []]);
    });
}

test("progress is shown in words, with the time that is left", () => {
    const { max, service } = connected();
    max.send(0, "process_newest");
    service.event("queued", "job1", "Night Drive", "full");
    service.event("started", "job1", 1);
    assert.deepEqual(max.shown("stage"), ["Starting"]);
    service.event("stage", "job1", "separate", "Separating", 0.1);
    assert.deepEqual(max.shown("stage"), ["Separating"]);
    service.event("progress", "job1", 0.25, 65, "separate", "Separating");
    assert.deepEqual([max.shown("stage"), max.shown("progress")], [["Separating, 1:05 left"], [0.25]]);
});

test("what a job made is shown: loudness before and after, stems to import", () => {
    const { max } = delivered();
    assert.deepEqual(max.shown("before"), ["-9.1 LUFS  0.4 dBTP"]);
    assert.deepEqual(max.shown("after"), ["-14.0 LUFS  -1.0 dBTP"]);
    assert.deepEqual(max.shown("stage"), ["Done. 4 stems to import"]);
    assert.deepEqual([max.shown("can_import"), max.shown("can_cancel")], [[1], [0]]);
    assert.deepEqual(max.shown("song"), ["Night Drive"], "not the delivery's name, which may be v2");
});

test("a loudness that is not known is a dash", () => {
    const { max, service } = connected({ figures: [["title", "Night Drive"]] });
    assert.deepEqual([max.shown("before"), max.shown("after")], [["-"], ["-"]]);
    max.send(0, "process_newest");
    service.done();
    assert.deepEqual([max.shown("before"), max.shown("after")], [["-"], ["-"]]);
});

test("a song that was done already is there at once", () => {
    const { max, service } = connected();
    service.state = "SUCCESS";
    max.send(0, "process_newest");
    assert.deepEqual([max.shown("can_import"), max.shown("progress")], [[1], [1]]);
});

test("the time that was left is forgotten when the job waits, begins anew, or is told by a new service", () => {
    const { max, service } = connected();
    max.send(0, "process_newest");
    const progress = () => service.event("progress", "job1", 0.25, 65, "separate", "Separating");
    progress();
    service.event("postponed", "job1", 30, "No room is left.");
    assert.deepEqual(max.shown("stage"), ["Goes on in 0:30"]);
    progress();
    service.event("started", "job1", 2);
    assert.deepEqual(max.shown("stage"), ["Starting"]);
    progress();
    service.restart();
    service.rows = [["job1", "PENDING", "", 0, "Night Drive", "full", 0]];
    max.send(1, "/stembridge/unknown_client", service.client);
    max.pass(2000);
    assert.deepEqual(max.shown("stage"), ["Waiting for its turn"]);
});

test("cancel ends the job that is shown", () => {
    const { max, service } = connected();
    max.send(0, "process_newest");
    max.send(0, "cancel");
    assert.deepEqual(requests(service, "cancel"), [["cancel", "job1"]]);
    service.event("cancelled", "job1", "Cancelled from the OSC door.");
    assert.deepEqual([max.shown("stage"), max.shown("can_cancel")], [["Cancelled"], [0]]);
    max.send(0, "cancel");
    assert.equal(requests(service, "cancel").length, 1, "an ended job is not cancelled");
});

test("why a job failed is told, and gone with the next press", () => {
    const { max, service } = connected();
    max.send(0, "process_newest");
    service.failed("job1", "night.wav is silent.");
    assert.deepEqual([max.shown("stage"), max.shown("error")], [["Failed"], ["night.wav is silent."]]);
    max.send(0, "process_newest");
    assert.deepEqual(max.shown("error"), [""]);
});

test("stems of a job without a master can be imported, and wait for it", () => {
    const { max, live, service } = connected();
    service.paths().forEach((path) => live.file(path));
    max.send(0, "process_newest");
    service.failed("job1", "No master was delivered: it is too quiet.", 4);
    assert.deepEqual([max.shown("stage"), max.shown("can_import")], [["Failed. 4 stems to import"], [1]]);
    assert.deepEqual(max.shown("error"), ["No master was delivered: it is too quiet."]);
    service.event("queued", "theirs", "Other Song", "full");
    assert.deepEqual(max.shown("song"), ["Night Drive"]);
    max.send(0, "import_stems");
    assert.deepEqual([max.shown("stage"), live.errors], [["On new tracks: Vocals, Drums, Bass, Other"], []]);
});

test("a job that failed and delivered nothing is asked for nothing", () => {
    const { max, service } = connected();
    max.send(0, "process_newest");
    service.failed("job1", "night.wav is silent.");
    assert.deepEqual([requests(service, "files"), requests(service, "figures")], [[], []]);
    assert.deepEqual([max.shown("stage"), max.shown("can_import")], [["Failed"], [0]]);
});

test("a failure that was told does not come back over a newer word", () => {
    const { max, service } = connected();
    service.failed("theirs", "night.wav is silent.");
    max.send(0, "process_clip");
    service.event("note", "theirs", "qa", "A note.");
    assert.match(max.shown("error")[0], /^No clip is selected/);
});

test("what changes nothing to see is not drawn again", () => {
    const { max, service } = connected();
    service.event("queued", "theirs", "Other Song", "full");
    max.heard[2].length = 0;
    service.event("note", "theirs", "qa", "A note.");
    assert.deepEqual(max.heard[2], []);
});

test("a refusal is told in its words", () => {
    const { max, service } = connected();
    service.on_process_newest = () => [["refused", "no_song", "No finished song lies in the watched folders."]];
    max.send(0, "process_newest");
    assert.deepEqual(max.shown("error"), ["No finished song lies in the watched folders."]);
    assert.deepEqual(max.shown("stage"), ["Ready"]);
});

test("another's job is shown while there is none of its own, and not instead of one", () => {
    const { max, service } = connected();
    service.event("queued", "theirs", "Other Song", "full");
    assert.deepEqual(max.shown("song"), ["Other Song"]);
    max.send(0, "process_newest");
    service.event("stage", "theirs", "mix", "Mixing", 0.5);
    assert.deepEqual(max.shown("song"), ["Night Drive"]);
    assert.deepEqual(max.shown("stage"), ["Waiting for its turn"]);
});

test("stems that were asked for here wait until they are imported", () => {
    const { max, service } = delivered();
    service.event("queued", "theirs", "Other Song", "full");
    assert.deepEqual([max.shown("song"), max.shown("can_import")], [["Night Drive"], [1]]);
    max.send(0, "import_stems");
    service.event("started", "theirs", 1);
    assert.deepEqual([max.shown("song"), max.shown("can_import")], [["Other Song"], [0]]);
});

test("a song of its own without stems does not keep others' from being shown", () => {
    const { service, max } = delivered({ stems: [] });
    service.event("queued", "theirs", "Other Song", "full");
    assert.deepEqual(max.shown("song"), ["Other Song"]);
});

test("a service of another protocol is told", () => {
    const { max } = connected({ prepare: (made, service) => {
        service.on_hello = () => [["welcome", "9.0", 2, "e1", 0, 10, "hello"]];
    } });
    assert.match(max.shown("error")[0], /Install the device again/);
});

test("the last job of the service is shown when a set is opened", () => {
    const rows = ["old", "new"].map((job) => [job, "SUCCESS", "deliver", 1, `The ${job} song`, "full", 4]);
    const { max } = connected({ prepare: (made, service) => { service.rows = rows; } });
    assert.deepEqual([max.shown("song"), max.shown("can_import")], [["The new song"], [1]]);
});

test("a choice is kept with the set once, by its name", () => {
    const { max } = connected();
    max.send(0, "recipe", 4);
    max.send(0, "recipe", 4);
    max.send(0, "kept_recipe", "mine");
    assert.deepEqual(max.heard[2].filter(([kind]) => kind === "keep_recipe"), [["keep_recipe", "mine"]]);
});

test("a choice is shown and kept again after a preset changed it", () => {
    const { max } = connected();
    max.heard[2].length = 0;
    max.send(0, "recipe", 4);
    max.send(0, "kept_recipe", "automatic");
    max.send(0, "recipe", 4);
    assert.deepEqual(max.heard[2], [["keep_recipe", "mine"], ["recipe", 0], ["keep_recipe", "mine"]]);
});

test("a kept choice is found again in whatever order the service has", () => {
    const { max, service } = connected({ prepare: (made) => made.send(0, "kept_recipe", "mine") });
    assert.deepEqual(max.shown("recipe"), [4]);
    assert.deepEqual(max.heard[2].filter(([kind]) => kind.startsWith("keep_")), [], "loading makes no undo step");
    max.send(0, "process_newest");
    assert.equal(requests(service, "process_newest")[0][1], "mine");
});

test("nothing that is kept is no choice, also where Max says it as 0", () => {
    const { max, service } = connected({ prepare: (made) => made.send(0, "kept_recipe", 0) });
    assert.deepEqual([max.shown("recipe"), max.shown("recipes").includes("0")], [[0], false]);
    max.send(0, "process_newest");
    assert.equal(requests(service, "process_newest")[0][1], "");
});

test("a menu with new names is told again which is chosen: it may forget", () => {
    const { max } = connected({ prepare: (made) => made.send(0, "kept_recipe", "full") });
    const told = max.heard[2].filter(([kind]) => ["recipes", "recipe"].includes(kind)).map(([kind]) => kind);
    assert.deepEqual(told, ["recipes", "recipe", "recipes", "recipe"]);
    assert.deepEqual(max.shown("recipe"), [1]);
});

test("a kept choice that is gone stays in sight", () => {
    const { max } = connected({ prepare: (made) => made.send(0, "kept_target", "gone") });
    assert.deepEqual(max.shown("targets"), ["automatic", "streaming", "club", "gone"]);
    assert.deepEqual(max.shown("target"), [3]);
});

test("a removed device says nothing more", () => {
    const { max } = connected();
    max.asked();
    max.send(0, "notifydeleted");
    max.pass(120_000);
    assert.deepEqual(max.asked(), []);
});
