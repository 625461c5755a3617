"use strict";
const { test } = require("node:test");
const assert = require("node:assert/strict");
const { delivered, connected, FOLDER } = require("./service.js");
const { FakeLive } = require("./fake_live.js");

const TITLES = ["Vocals", "Drums", "Bass", "Other"];
const clipsOf = (track) => track.lists.arrangement_clips;

/** A song's clip on a track of its own, the device on the next. */
function withSource(values = {}, options = {}) {
    const live = new FakeLive(options);
    const song = live.track("Song");
    live.deviceOn(live.track("Bus"));
    live.track("After");
    const clip = live.clip(song, { file_path: "/songs/Night Drive.mp3", warping: 0, ...values });
    live.select(clip);
    return { live, song, clip };
}

/** The clip is processed by its button, and done; then something else is selected. */
function processed(values = {}, options = {}) {
    const { live, song, clip } = withSource(values, options);
    const session = connected({ live });
    session.service.paths().forEach((path) => live.file(path));
    session.max.send(0, "process_clip");
    session.service.done();
    live.select(null);
    return { ...session, song, clip };
}

/** The new tracks, by what is not there before. */
const placed = (live) => TITLES.map((title) => live.tracks.find((track) => track.values.name === title));

test("stems come onto new tracks beside the device's, named, coloured, unwarped, in few undo steps", () => {
    const { max, live } = delivered();
    live.undo.length = 0;
    max.send(0, "import_stems");
    assert.deepEqual(live.names(), ["Song", "Master bus", ...TITLES, "After"]);
    for (const [at, track] of placed(live).entries()) {
        const [clip] = clipsOf(track);
        assert.equal(clip.values.file_path, `${FOLDER}/Stems/Night Drive - ${TITLES[at]} (dry).wav`);
        assert.deepEqual([clip.values.warping, clip.values.start_time], [0, 0]);
        assert.equal(clip.values.color, track.values.color);
    }
    const { vocals, drums, bass, other } = max.context.TABLE.colours;
    assert.deepEqual(placed(live).map((track) => track.values.color), [vocals, drums, bass, other]);
    assert.equal(new Set([vocals, drums, bass, other]).size, 4);
    assert.deepEqual(live.undo, [...TITLES.map((title) => `rename track ${title}`), "step"]);
    assert.deepEqual(max.shown("stage"), ["On new tracks: Vocals, Drums, Bass, Other"]);
    assert.deepEqual([max.shown("error"), live.errors], [[""], []]);
});

test("a role that the script does not know has the colour of others", () => {
    const { max, live } = delivered({ stems: [["Kazoo", "kazoo"]] });
    max.send(0, "import_stems");
    const track = live.tracks.find((one) => one.values.name === "Kazoo");
    assert.equal(track.values.color, max.context.TABLE.colours.other);
});

test("nothing but the new tracks is touched where the source is not known", () => {
    const { max, live } = delivered();
    const before = JSON.stringify(live.tracks.map((track) => track.values));
    max.send(0, "import_stems");
    const others = live.tracks.filter((track) => !TITLES.includes(track.values.name));
    assert.equal(JSON.stringify(others.map((track) => track.values)), before);
    assert.equal(live.song.values.tempo, 120);
});

test("the processed clip's place is taken, and its track muted", () => {
    const { max, live, song } = processed({ start_time: 32 });
    max.send(0, "import_stems");
    assert.deepEqual(placed(live).map((track) => clipsOf(track)[0].values.start_time), [32, 32, 32, 32]);
    assert.equal(song.values.mute, 1);
    assert.deepEqual(clipsOf(song).length, 1, "the source is not deleted");
    assert.deepEqual(live.errors, []);
});

test("a clip cut at its start gives the place where its file begins", () => {
    const { max, live } = processed({ start_time: 32, start_marker: 4 });  // 4 s at 120 bpm are 8 beats
    max.send(0, "import_stems");
    assert.equal(clipsOf(placed(live)[0])[0].values.start_time, 24);
});

test("a warped clip's file begins where its markers say", () => {
    const markers = [{ sample_time: 1, beat_time: 0 }, { sample_time: 2, beat_time: 2 }];  // first downbeat at 1 s
    const warp = { warping: 1, warp_markers: JSON.stringify({ warp_markers: markers }) };
    const { max, live } = processed({ start_time: 32, start_marker: 0, ...warp });
    max.send(0, "import_stems");
    assert.equal(clipsOf(placed(live)[0])[0].values.start_time, 30);
});

for (const isLoopNeeded of [false, true]) {
    const which = isLoopNeeded ? "while it is looped" : "by its loop's start";

    test(`what would begin before the set does is trimmed alike on every stem, by a Live that moves a start ${which}`, () => {
        const { max, live } = processed({ start_time: 0, start_marker: 4 });
        Object.assign(live, { isLoopNeeded });
        max.send(0, "import_stems");
        max.pass(1000);
        const clips = placed(live).map((track) => clipsOf(track)[0].values);
        const found = clips.map((clip) => [clip.start_time, clip.start_marker, clip.warping, clip.looping]);
        assert.deepEqual(found, Array(4).fill([0, 4, 0, 0]));
        assert.deepEqual([live.errors, max.shown("error")], [[], [""]]);
    });

    test(`a start that Live guessed while it warped is undone, on each stem alike, ${which}`, () => {
        const { max, live } = processed();
        Object.assign(live, { guessBeats: 0.37, isLoopNeeded });
        max.send(0, "import_stems");
        max.pass(1000);
        const clips = placed(live).map((track) => clipsOf(track)[0].values);
        assert.deepEqual(clips.map((clip) => [clip.start_marker, clip.looping, clip.warping]), Array(4).fill([0, 0, 0]));
        assert.deepEqual(max.shown("error"), [""]);
    });
}

for (const bpm of [45, 60, 180]) {
    test(`stems are heard to their end, also where Live hears them as ${bpm} bpm`, () => {
        const { max, live } = delivered();
        live.beatsPerSecond = bpm / 60;
        max.send(0, "import_stems");
        max.pass(1000);
        const clips = placed(live).map((track) => clipsOf(track)[0].values);
        assert.deepEqual(clips.map((clip) => [clip.loop_end, clip.end_marker]), Array(4).fill([1000, 1000]));
        assert.deepEqual([max.shown("error"), live.errors], [[""], []]);
    });
}

test("where Live keeps the warp, markers are left alone: they are in beats", () => {
    const { max, live } = delivered();
    live.isWarpKept = true;
    max.send(0, "import_stems");
    max.pass(1000);
    const { loop_end, end_marker, start_marker } = clipsOf(placed(live)[0])[0].values;
    assert.deepEqual([loop_end, end_marker, start_marker], [2000, 2000, 0]);
    assert.match(max.shown("error")[0], /^Look at Vocals in Live: its clip is still warped/);
});

test("a stem that was deleted at once is no fault", () => {
    const { max, live } = delivered();
    max.send(0, "import_stems");
    live.remove(clipsOf(placed(live)[2])[0]);
    max.pass(1000);
    assert.deepEqual(max.shown("error"), [""]);
});

for (const [what, change, words] of [
    ["begins elsewhere", { start_marker: 0.2 }, /^Look at Bass in Live: its clip does not begin at 0.000 s/],
    ["is warped all the same", { warping: 1 }, /^Look at Bass in Live: its clip is still warped/],
    ["ends too early", { end_marker: 999 }, /^Look at Bass in Live: its clip ends before its file/]
]) {
    test(`a stem that ${what} a moment later is named`, () => {
        const { max, live } = delivered();
        max.send(0, "import_stems");
        Object.assign(clipsOf(placed(live)[2])[0].values, change);
        assert.deepEqual(max.shown("error"), [""]);
        max.pass(1000);
        assert.match(max.shown("error")[0], words);
    });
}

test("a selected clip of the song's file is its source, too", () => {
    const { live, song } = withSource({ start_time: 8 });
    const { max } = delivered({ live });
    max.send(0, "import_stems");
    assert.equal(clipsOf(placed(live)[0])[0].values.start_time, 8);
    assert.equal(song.values.mute, 1);
});

test("a selected clip of another song is not", () => {
    const { live, song } = withSource({ file_path: "/songs/Other Song.mp3", start_time: 8 });
    const { max } = delivered({ live });
    max.send(0, "import_stems");
    assert.equal(clipsOf(placed(live)[0])[0].values.start_time, 0);
    assert.equal(song.values.mute, 0);
});

test("a processed clip that is gone, or holds another file now, is no source", () => {
    for (const change of [(live, clip) => live.remove(clip), (live, clip) => { clip.values.file_path = "/b.wav"; }]) {
        const { max, live, song, clip } = processed({ start_time: 32 });
        change(live, clip);
        max.send(0, "import_stems");
        assert.equal(clipsOf(placed(live)[0])[0].values.start_time, 0);
        assert.equal(song.values.mute, 0);
    }
});

test("what is as it should be costs no change: a muted source, the song's tempo", () => {
    const { max, live, song } = processed();
    live.without("Song", "begin_undo_step");
    song.values.mute = 1;
    live.song.values.tempo = 103;
    max.send(0, "tempo", 1);
    max.send(0, "import_stems");
    assert.deepEqual(live.undo.filter((what) => ["set mute", "set tempo"].includes(what)), []);
    assert.equal(placed(live).filter(Boolean).length, 4);
});

test("stems come into session slots of the selected scene", () => {
    const { max, live } = delivered();
    live.song.view.children.selected_scene = live.song.lists.scenes[2];
    max.send(0, "import_to", 1);
    max.send(0, "import_stems");
    for (const track of placed(live)) {
        assert.deepEqual(track.lists.clip_slots.map((slot) => slot.values.has_clip), [0, 0, 1, 0]);
        assert.equal(track.lists.clip_slots[2].children.clip.values.warping, 0);
        assert.equal(clipsOf(track).length, 0);
    }
    assert.deepEqual(live.errors, []);
});

test("stems come into the scene of the source's slot", () => {
    const { max, live, song } = processed({ slot: 1, is_arrangement_clip: 0 });
    max.send(0, "import_to", 1);
    max.send(0, "import_stems");
    assert.equal(placed(live)[3].lists.clip_slots[1].values.has_clip, 1);
    assert.equal(song.values.mute, 1);
});

test("a source in a slot gives no place in the arrangement", () => {
    const { max, live } = processed({ slot: 1, start_time: 99 });
    max.send(0, "import_stems");
    assert.equal(clipsOf(placed(live)[0])[0].values.start_time, 0);
});

test("matching the tempo sets the set's, and leaves the stems unwarped", () => {
    const { max, live } = processed({ start_time: 32, start_marker: 4 });
    max.send(0, "tempo", 1);
    max.send(0, "import_stems");
    assert.equal(live.song.values.tempo, 103);
    const clip = clipsOf(placed(live)[0])[0].values;
    assert.equal(clip.warping, 0);
    assert.ok(Math.abs(clip.start_time - (32 - 4 * 103 / 60)) < 1e-9, "by the tempo that then holds");
});

test("a tempo that the set keeps all the same is said a moment later", () => {
    const { max, live } = delivered();
    max.send(0, "tempo", 1);
    max.send(0, "import_stems");
    max.pass(400);
    assert.deepEqual(max.shown("error"), [""]);
    live.song.values.tempo = 90;  // by automation
    max.pass(200);
    assert.match(max.shown("error")[0], /^The set kept its tempo/);
});

test("a tempo that is not sure changes nothing, and is said", () => {
    const { max, live } = delivered({ figures: [["title", "Night Drive"]] });
    max.send(0, "tempo", 1);
    max.send(0, "import_stems");
    assert.equal(live.song.values.tempo, 120);
    assert.match(max.shown("error")[0], /tempo is not sure/);
    assert.equal(placed(live).filter(Boolean).length, 4);
});

for (const version of [[11, 0, 0], [11, 3, 4], [12, 0, 4]]) {
    test(`Live ${version.join(".")} opens the folder, says so and changes nothing`, () => {
        const live = new FakeLive({ version });
        live.deviceOn(live.track("Song"));
        const { max } = delivered({ live });
        max.send(0, "import_stems");
        assert.deepEqual(max.opened, ["file:///sets/Night/StemBridge/Night%20Drive/Stems"]);
        assert.match(max.shown("error")[0], /^This Live cannot lay stems on tracks/);
        assert.deepEqual([live.names(), live.undo, live.errors], [["Song"], [], []]);
    });
}

test("Live 12.0.5 lays them out", () => {
    const live = new FakeLive({ version: [12, 0, 5] });
    live.deviceOn(live.track("Song"));
    const { max } = delivered({ live });
    max.send(0, "import_stems");
    assert.deepEqual(live.names(), ["Song", ...TITLES]);
});

test("a stem whose file is gone leaves no track behind; the others come, and the source is heard", () => {
    const { max, live, service, song } = processed();
    live.files.delete(service.path("Drums"));
    max.send(0, "import_stems");
    assert.deepEqual(live.names(), ["Song", "Bus", "Vocals", "Bass", "Other", "After"]);
    assert.match(max.shown("error")[0], /^Live did not take Drums: .*Drums \(dry\)\.wav$/);
    assert.deepEqual(max.shown("stage"), ["On new tracks: Vocals, Bass, Other"]);
    assert.equal(song.values.mute, 0);
});

test("an edition that has no room for more tracks is told", () => {
    const live = new FakeLive({ mostTracks: 5 });
    live.track("Song");
    live.deviceOn(live.track("Bus"));
    const { max } = delivered({ live });
    live.song.view.children.selected_track = live.tracks[1];
    max.send(0, "import_stems");
    assert.deepEqual(live.names(), ["Song", "Bus", "Vocals", "Drums", "Bass"]);
    assert.equal(live.song.view.children.selected_track.values.name, "Bus");
    assert.match(max.shown("error")[0], /^Live made no track for Other/);
    assert.equal(live.depth, 0, "the undo step is closed");
});

test("a Live without undo steps for devices is not asked for them", () => {
    const live = new FakeLive();
    live.deviceOn(live.track("Song"));
    live.without("Song", "begin_undo_step");
    const { max } = delivered({ live });
    max.send(0, "import_stems");
    assert.deepEqual([live.errors, live.undo.filter((what) => what === "step")], [[], []]);
    assert.equal(live.names().length, 5);
});

test("paths of Windows are given as Windows writes them, else with slashes", () => {
    for (const isSlashed of [false, true]) {
        const folder = "C:\\Sets\\Night\\StemBridge\\Night Drive";
        const { max, live, service } = delivered({ folder });
        if (isSlashed) {
            live.files.clear();
            service.paths().forEach((path) => live.file(path.replaceAll("\\", "/")));
        }
        max.send(0, "import_stems");
        assert.equal(placed(live).filter(Boolean).length, 4);
        const found = clipsOf(placed(live)[0])[0].values.file_path;
        assert.equal(found, isSlashed ? service.path("Vocals").replaceAll("\\", "/") : service.path("Vocals"));
    }
});

test("paths of a Mac are given as they are, else after the name of its drive, as Live's reference has them", () => {
    const { max, live, service } = delivered();
    live.files.clear();
    service.paths().forEach((path) => live.file(`/Volumes/Macintosh HD${path}`));
    max.send(0, "import_stems");
    assert.equal(clipsOf(placed(live)[0])[0].values.file_path, `/Volumes/Macintosh HD${service.path("Vocals")}`);
    assert.deepEqual(max.shown("error"), [""]);
});

test("the folder of Windows is opened by a URL that names it", () => {
    const live = new FakeLive({ version: [11, 3, 0] });
    live.deviceOn(live.track("Song"));
    const { max } = delivered({ live, folder: "C:\\Sets\\50% #1\\StemBridge\\Night Drive" });
    max.send(0, "import_stems");
    assert.deepEqual(max.opened, ["file:///C:/Sets/50%25%20%231/StemBridge/Night%20Drive/Stems"]);
});

for (const [where, build, names] of [
    ["a group", (live) => {
        const group = live.track("Group", { kind: "group" });
        live.track("Inner", { group: live.track("Inside", { kind: "group", group }) });
        live.deviceOn(group);
        live.track("After");
    }, ["Group", "Inside", "Inner", ...TITLES, "After"]],
    ["a track in a group", (live) => {
        const group = live.track("Group", { kind: "group" });
        live.deviceOn(live.track("Child", { group }));
        live.track("After");
    }, ["Group", "Child", ...TITLES, "After"]],
    ["a chain of a rack", (live) => {
        const track = live.track("Song");
        const rack = live.make("RackDevice", {}, track);
        live.deviceOn(live.make("Chain", {}, rack));
        live.track("After");
    }, ["Song", ...TITLES, "After"]],
    ["a return track", (live) => {
        live.track("Song");
        live.deviceOn(live.returnTrack("A-Reverb"));
    }, ["Song", ...TITLES]],
    ["the last track", (live) => {
        live.track("Song");
        live.deviceOn(live.track("Last", { kind: "midi" }));
    }, ["Song", "Last", ...TITLES]]
]) {
    test(`with the device on ${where} the new tracks stand beside it`, () => {
        const live = new FakeLive();
        build(live);
        const { max } = delivered({ live });
        max.send(0, "import_stems");
        assert.deepEqual([live.names(), live.errors], [names, []]);
    });
}

test("the track that was selected stays so", () => {
    const { max, live } = delivered();
    live.song.view.children.selected_track = live.tracks[1];
    max.send(0, "import_stems");
    assert.equal(live.song.view.children.selected_track.values.name, "Master bus");
});

test("without stems there is nothing to import, and it is said", () => {
    const { max, live } = delivered({ stems: [] });
    assert.deepEqual([max.shown("can_import"), max.shown("stage")], [[0], ["Done"]]);
    max.send(0, "import_stems");
    assert.match(max.shown("error")[0], /no stems to import yet/);
    assert.deepEqual(live.undo, []);
});

test("twice imported is twice there", () => {
    const { max, live } = delivered();
    max.send(0, "import_stems");
    max.send(0, "import_stems");
    assert.equal(live.names().filter((name) => name === "Vocals").length, 2);
    assert.deepEqual(live.errors, []);
});

test("a set of two hundred tracks is asked little", () => {
    const live = new FakeLive({ scenes: 50 });
    live.deviceOn(live.track("Song"));
    for (let at = 0; at < 200; at += 1) {
        live.track(`Track ${at}`);
    }
    const { max } = delivered({ live });
    live.reads = 0;
    max.send(0, "import_stems");
    assert.ok(live.reads < 80, `${live.reads} reads`);
});
