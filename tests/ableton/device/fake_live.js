// Live's object model as far as it is known, and as strict: what Live refuses is noted in `errors` and does
// nothing, since LiveAPI raises nothing either. Sources: Cycling '74's LOM reference for Live 11 and 12, and what
// people measured in Live 12.2 to 12.4 of create_audio_clip, markers, warping, missing objects and undo steps.
"use strict";

const FIRST_CLIP_IMPORT = [12, 0, 5];
const FIRST_SET_PATH = [11, 3, 0];
const LATEST_BEAT = 1576800;
const MARKERS = ["start_marker", "end_marker", "loop_start", "loop_end"];
const NO_ANSWER = 1;  // what LiveAPI gives where there is nothing to give; no list

// Each class: what can be read, what can be set, lists of children, single children, functions with versions.
const CLASSES = {
    Song: {
        get: ["tempo", "current_song_time", "is_playing", ["file_path", FIRST_SET_PATH]],
        set: ["tempo"], lists: ["tracks", "scenes", "return_tracks"], children: ["view", "master_track"],
        functions: ["create_audio_track", "create_midi_track", "delete_track", "begin_undo_step", "end_undo_step"]
    },
    "Song.View": {
        get: [], set: [], lists: [], functions: [],
        children: ["selected_track", "selected_scene", "detail_clip", "highlighted_clip_slot"],
        setChildren: ["selected_track", "selected_scene", "detail_clip"]
    },
    Track: {
        get: [
            "name", "color", "mute", "has_audio_input", "has_midi_input", "is_foldable", "is_grouped", "is_frozen"
        ],
        set: ["name", "color", "mute"], lists: ["clip_slots", "arrangement_clips", "devices"],
        children: ["canonical_parent", "group_track"],
        functions: ["delete_clip", ["create_audio_clip", FIRST_CLIP_IMPORT]]
    },
    Scene: {
        get: ["name"], set: ["name"], lists: ["clip_slots"], children: ["canonical_parent"], functions: ["fire"]
    },
    ClipSlot: {
        get: ["has_clip"], set: [], lists: [], children: ["canonical_parent", "clip"],
        functions: ["fire", "delete_clip", ["create_audio_clip", FIRST_CLIP_IMPORT]]
    },
    Clip: {
        get: ["name", "color", "is_audio_clip", "is_midi_clip", "is_arrangement_clip", "start_time", "start_marker",
            "end_marker", "muted", "length", "looping", "loop_start", "loop_end"],
        set: ["name", "color", "start_marker", "end_marker", "muted", "looping", "loop_start", "loop_end"],
        audio: ["file_path", "warping", "warp_markers", "gain", "sample_length", "sample_rate"],
        setAudio: ["warping", "gain"],
        lists: [], children: ["canonical_parent"], functions: ["fire", "stop"]
    },
    MaxDevice: { get: ["name"], set: ["name"], lists: [], children: ["canonical_parent"], functions: [] },
    Chain: { get: ["name"], set: [], lists: ["devices"], children: ["canonical_parent"], functions: [] },
    RackDevice: { get: ["name"], set: [], lists: ["chains"], children: ["canonical_parent"], functions: [] }
};

const isSince = (version, first = version) => {
    const at = [0, 1, 2].find((place) => version[place] !== first[place]);
    return at === undefined || version[at] > first[at];
};

class FakeLive {
    constructor({ version = [12, 1, 0], path = "/sets/Night/Night.als", scenes = 4, mostTracks = 1000 } = {}) {
        Object.assign(this, { version, mostTracks, errors: [], undo: [], isReady: false });
        Object.assign(this, { depth: 0, reads: 0, lastId: 0, guessBeats: 0, beatsPerSecond: 2, isLoopNeeded: false, isWarpKept: false });
        this.objects = new Map();
        this.missing = new Set();
        this.files = new Map();
        this.song = this.make("Song", { tempo: 120, current_song_time: 0, is_playing: 0, file_path: path });
        this.song.lists = { tracks: [], scenes: [], return_tracks: [] };
        this.song.view = this.make("Song.View");
        for (let scene = 0; scene < scenes; scene += 1) {
            this.song.lists.scenes.push(this.make("Scene", { name: "" }, this.song));
        }
        this.song.view.children.selected_scene = this.song.lists.scenes[0];
    }

    make(type, values = {}, parent = null) {
        this.lastId += 1;
        const id = this.lastId;
        const made = { id, type, values, parent, lists: {}, children: {} };
        this.objects.set(id, made);
        return made;
    }

    // building a set

    track(name, { kind = "audio", group = null, index = this.song.lists.tracks.length, isFrozen = 0 } = {}) {
        const values = {
            name, color: 0, mute: 0,
            has_audio_input: kind === "audio" ? 1 : 0, has_midi_input: kind === "midi" ? 1 : 0,
            is_foldable: kind === "group" ? 1 : 0, is_grouped: group ? 1 : 0, is_frozen: isFrozen
        };
        const track = this.make("Track", values, this.song);
        track.children.group_track = group;
        track.lists = { clip_slots: [], arrangement_clips: [], devices: [] };
        track.lists.clip_slots = this.song.lists.scenes.map(() => this.make("ClipSlot", { has_clip: 0 }, track));
        this.song.lists.tracks.splice(index, 0, track);
        return track;
    }

    /** The device that the script is in, on a track, a return, or in a chain of a rack. */
    deviceOn(parent) {
        this.device = this.make("MaxDevice", { name: "stembridge" }, parent);
        return this.device;
    }

    returnTrack(name) {
        const track = this.make("Track", { name, mute: 0 }, this.song);
        this.song.lists.return_tracks.push(track);
        return track;
    }

    file(path, seconds = 60) {
        this.files.set(path, seconds);
        return path;
    }

    clip(track, values) {
        const parent = values.slot === undefined ? track : track.lists.clip_slots[values.slot];
        const isAudio = values.file_path === undefined ? 0 : 1;
        const clip = this.make("Clip", {
            name: "clip", color: 0, is_audio_clip: isAudio, is_midi_clip: 1 - isAudio, start_time: 0, start_marker: 0,
            end_marker: 1000, muted: 0, length: 16, is_arrangement_clip: values.slot === undefined ? 1 : 0,
            warping: 1, warp_markers: "{\"warp_markers\":[]}", gain: 0.4, looping: 0, loop_start: 0, loop_end: 1000,
            sample_length: 1000 * 44100, sample_rate: 44100, ...values
        }, parent);
        if (values.slot === undefined) {
            track.lists.arrangement_clips.push(clip);
        } else {
            parent.children.clip = clip;
            parent.values.has_clip = 1;
        }
        return clip;
    }

    select(clip) {
        this.song.view.children.detail_clip = clip;
    }

    // what tests look at

    get tracks() {
        return this.song.lists.tracks;
    }

    names() {
        return this.tracks.map((track) => track.values.name);
    }

    // rules

    fail(words) {
        this.errors.push(words);
        return NO_ANSWER;
    }

    changed(what) {
        if (this.depth > 0 && !what.startsWith("rename track")) {
            this.isStepUsed = true;
        } else {
            this.undo.push(what);
        }
    }

    /** A Live whose objects of that type do not know a name. */
    without(type, name) {
        this.missing.add(`${type}.${name}`);
    }

    /** The names of one kind that this version of Live knows. */
    known(type, kind) {
        return (CLASSES[type][kind] || [])
            .map((entry) => [].concat(entry))
            .filter(([name, since]) => !this.missing.has(`${type}.${name}`) && isSince(this.version, since))
            .map(([name]) => name);
    }

    has(object, kind, name) {
        return this.known(object.type, kind).includes(name);
    }

    find(path) {
        const words = String(path).split(" ");
        const roots = { live_set: this.song, this_device: this.device };
        if (words[0] === "id") {
            return this.objects.get(Number(words[1])) || null;
        }
        let at = roots[words.shift()] || null;
        while (at !== null && words.length) {
            at = this.step(at, words);
        }
        return at;
    }

    step(at, words) {
        const name = words.shift();
        if (this.has(at, "lists", name)) {
            return at.lists[name][Number(words.shift())] || null;
        }
        return this.has(at, "children", name) ? this.childOf(at, name) : null;
    }

    childOf(object, name) {
        if (name === "canonical_parent") {
            return object.parent;
        }
        return (name === "view" ? object.view : object.children[name]) || null;
    }

    call(object, name, args) {
        if (!this.has(object, "functions", name)) {
            return this.fail(`${object.type} has no function ${name}`);
        }
        return CALLS[`${object.type}.${name}`].call(this, object, ...args);
    }

    remove(object) {
        this.objects.delete(object.id);
    }

    /** A clip of a file on a track, or why there is none. */
    audioClip(track, path, values) {
        const refusal = this.refusalOf(track, path);
        if (refusal) {
            return this.fail(refusal);
        }
        // Live warps what it imports, each file as it sees fit: markers are in beats of the tempo that it guesses
        const [first, last] = [this.guessBeats, 1000 * this.beatsPerSecond];
        const guess = { warping: 1, start_marker: first, end_marker: last, loop_start: first, loop_end: last };
        const clip = this.clip(track, { ...values, ...guess, file_path: path });
        this.changed(`create clip ${path}`);
        return ["id", String(clip.id)];
    }

    /** Markers count beats in a warped clip and seconds in another; the end marker is forgotten one way. */
    warp(values, isOn) {
        if (isOn === Boolean(values.warping)) {
            return;
        }
        const factor = isOn ? this.beatsPerSecond : 1 / this.beatsPerSecond;
        MARKERS.filter((name) => isOn || name !== "end_marker").forEach((name) => { values[name] *= factor; });
        Object.assign(values, { warping: isOn ? 1 : 0, looping: isOn ? values.looping : 0 });
    }

    /** What setting one of a clip's markers, its loop or its warping does to the others. */
    setClip(values, name, value) {
        if (name === "warping" && this.isWarpKept) {
            return;
        }
        if (name === "warping") {
            this.warp(values, Boolean(value));
        } else if (name === "start_marker" && !values.looping) {
            return;  // taken, and without effect
        } else if (name === "looping" && value && !this.isLoopNeeded) {
            this.warp(values, true);  // only warped clips are looped
        } else if (name === "loop_start" && !values.looping) {
            values.start_marker = this.isLoopNeeded ? values.start_marker : value;
        }
        values[name] = value;
    }

    refusalOf(track, path) {
        if (!track.values.has_audio_input || track.values.is_foldable) {
            return "Audio clips can only be created on audio tracks";
        }
        if (track.values.is_frozen) {
            return "The track is frozen";
        }
        if (typeof path !== "string" || !/^(\/|[A-Z]:[\\/])/.test(path)) {
            return `Invalid syntax: ${path}`;
        }
        return this.files.has(path) ? "" : `${path} is not a valid audio file`;
    }
}

const CALLS = {
    "Song.create_audio_track"(song, index) {
        const count = song.lists.tracks.length;
        if (!Number.isInteger(index) || index < -1 || index > count) {
            return this.fail(`create_audio_track: ${index} is out of 0 to ${count}`);
        }
        if (count >= this.mostTracks) {
            return this.fail("The maximum number of tracks is reached");
        }
        const at = index < 0 ? count : index;
        const neighbour = song.lists.tracks[at];
        const group = neighbour ? neighbour.children.group_track : null;
        const track = this.track(`${at + 1}-Audio`, { index: at, group });
        song.view.children.selected_track = track;
        this.changed("create track");
        return ["id", String(track.id)];
    },
    "Song.delete_track"(song, index) {
        const [track] = song.lists.tracks.splice(index, 1);
        if (!track) {
            return this.fail(`delete_track: no track ${index}`);
        }
        this.remove(track);
        this.changed("delete track");
        return undefined;
    },
    "Song.begin_undo_step"() {
        this.depth += 1;
        this.isStepUsed = false;
    },
    "Song.end_undo_step"() {
        this.depth -= 1;
        if (this.isStepUsed) {
            this.undo.push("step");
        }
    },
    "Track.create_audio_clip"(track, path, beats) {
        if (typeof beats !== "number" || !(beats >= 0 && beats <= LATEST_BEAT)) {
            return this.fail(`create_audio_clip: ${beats} is out of 0 to ${LATEST_BEAT}`);
        }
        return this.audioClip(track, path, { start_time: beats });
    },
    "ClipSlot.create_audio_clip"(slot, path) {
        if (slot.values.has_clip) {
            return this.fail("The clip slot already holds a clip");
        }
        return this.audioClip(slot.parent, path, { slot: slot.parent.lists.clip_slots.indexOf(slot) });
    }
};

const atoms = (objects) => objects.flatMap((object) => ["id", object.id]);

/** Max's LiveAPI, bound to one fake set: ids are texts, `get` gives lists, or 1 for nothing; nothing raises. */
function liveApiOf(live) {
    return class LiveAPI {
        constructor(callback, path) {
            if (!live.isReady) {
                throw new Error("Live API is not available before live.thisdevice bangs");
            }
            if (callback !== null || typeof path !== "string") {
                throw new Error(`LiveAPI wants (callback, path), got (${callback}, ${path})`);
            }
            this.object = live.find(path);
            if (this.object === null && path.startsWith("id ")) {
                live.fail(`no object: ${path}`);
            }
        }

        get id() {
            // an object that was removed has no id any more
            return this.object !== null && live.objects.has(this.object.id) ? String(this.object.id) : "0";
        }

        get type() {
            return this.object === null ? "" : this.object.type;
        }

        get info() {
            if (this.object === null) {
                return "No object";
            }
            const known = (kind) => live.known(this.type, kind);
            const lines = [`id ${this.id}`, `type ${this.type}`, "description A thing in the Set."];
            known("lists").forEach((name) => lines.push(`children ${name} Thing`));
            known("children").forEach((name) => lines.push(`child ${name} Thing`));
            known("get").concat(known("audio")).forEach((name) => lines.push(`property ${name} thing`));
            known("functions").forEach((name) => lines.push(`function ${name}`));
            return lines.concat("done").join("\n");
        }

        get(name) {
            const object = this.object;
            live.reads += 1;
            if (object === null || this.id === "0") {
                return live.fail(`get ${name}: no object`);
            }
            if (live.has(object, "lists", name)) {
                return atoms(object.lists[name] || []);
            }
            if (live.has(object, "children", name)) {
                const child = live.childOf(object, name);
                return ["id", child === null ? 0 : child.id];
            }
            if (live.has(object, "audio", name) && object.values.is_midi_clip) {
                return live.fail(`get ${name}: only for audio clips`);
            }
            if (live.has(object, "get", name) || live.has(object, "audio", name)) {
                return [object.values[name]];
            }
            return live.fail(`${object.type} has no property ${name}`);
        }

        set(name, ...values) {
            const object = this.object;
            if (object === null) {
                return live.fail(`set ${name}: no object`);
            }
            if (live.has(object, "setChildren", name)) {
                object.children[name] = live.find(values.join(" "));
                return NO_ANSWER;
            }
            const isAudio = live.has(object, "setAudio", name) && object.values.is_audio_clip;
            if (!isAudio && !live.has(object, "set", name)) {
                return live.fail(`${object.type}.${name} cannot be set`);
            }
            const refusal = refusalOfValue(object, name, values);
            if (refusal) {
                return live.fail(refusal);
            }
            if (object.type === "Clip") {
                live.setClip(object.values, name, values[0]);
            } else {
                object.values[name] = values[0];
            }
            live.changed(name === "name" && object.type === "Track" ? `rename track ${values[0]}` : `set ${name}`);
            return NO_ANSWER;
        }

        call(name, ...args) {
            return this.object === null ? live.fail(`call ${name}: no object`) : live.call(this.object, name, args);
        }
    };
}

function refusalOfValue(object, name, values) {
    if (values.length !== 1 || values[0] === undefined) {
        return `set ${name}: one value wanted, got ${values.length}`;
    }
    if (name === "tempo" && !(values[0] >= 20 && values[0] <= 999)) {
        return `tempo ${values[0]} is out of 20 to 999`;
    }
    if (name === "start_marker" && values[0] >= object.values.end_marker) {
        return "the start marker cannot be behind the end marker";
    }
    if (name === "loop_start" && values[0] >= object.values.loop_end) {
        return "the loop's start cannot be behind its end";
    }
    if (name === "color" && !(Number.isInteger(values[0]) && values[0] >= 0 && values[0] <= 0xFFFFFF)) {
        return `color ${values[0]} is not 0x00RRGGBB`;
    }
    return "";
}

module.exports = { FakeLive, liveApiOf };
