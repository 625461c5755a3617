/*
 * Lays stems on new tracks. Each stem is unwarped, so that all of them stay together to the sample; where the
 * tempo is to match, it is the set's that changes. What was there before is left alone, but for the source's
 * track, which is muted where its clip is known.
 */
var Importer = (function () {
    "use strict";
    var SAME_BPM = 0.005;
    var SAME_S = 0.0005;
    var WHOLE_S = 0.05;

    function Problem(words) {
        this.words = words;
    }

    /**
     * order: {stems: [{title, role, paths}], clip, isSession, tempoBpm}; `clip` is the source's or null,
     * `tempoBpm` 0 where the set's tempo stays, `paths` are ways to write the same path.
     * Gives {placed: [{title, clip, startS}], problems: [words]}; `faults` looks later whether Live did so.
     */
    function run(order) {
        var song = Live.at("live_set");
        var result = { placed: [], problems: [] };
        var shownTrack = Live.child(Live.at("live_set view"), "selected_track");
        var isOneStep = Live.knows(song, "begin_undo_step");
        if (isOneStep) {
            song.call("begin_undo_step");
        }
        try {
            layOut(song, order, result);
        } catch (problem) {
            result.problems.push(problem instanceof Problem ? problem.words : String(problem));
        } finally {
            showAgain(shownTrack);
            if (isOneStep) {
                song.call("end_undo_step");
            }
        }
        return result;
    }

    /** Whether this Live can make clips of files: from 12.0.5 on. */
    function isPossible(isSession) {
        var place = Live.at("live_set tracks 0" + (isSession ? " clip_slots 0" : ""));
        return Live.knows(place, "create_audio_clip");
    }

    function layOut(song, order, result) {
        var index = Place.besideDevice(song);
        var spot;
        matchTempo(song, order.tempoBpm);
        spot = order.isSession ? { scene: Place.scene(order.clip), trimS: 0 } : Place.inArrangement(order.clip);
        order.stems.forEach(function (stem) {
            var clip = layStem(song, index + result.placed.length, stem, spot);
            if (clip === null) {
                result.problems.push("Live did not take " + stem.title + ": " + stem.paths[0]);
            } else {
                result.placed.push({ title: stem.title, clip: clip, startS: spot.trimS });
            }
        });
        if (!result.problems.length) {
            mute(order.clip);
        }
    }

    function matchTempo(song, tempoBpm) {
        if (!hasTempo(song, tempoBpm)) {
            song.set("tempo", tempoBpm);
        }
    }

    /** True also where no tempo is asked for. */
    function hasTempo(song, tempoBpm) {
        return !tempoBpm || Math.abs(Live.number(song, "tempo") - tempoBpm) <= SAME_BPM;
    }

    /** One stem's clip on a track of its own; null where Live refuses, and then no track is left behind. */
    function layStem(song, index, stem, spot) {
        var track = newTrack(song, index, stem.title);
        var colour = TABLE.colours.hasOwnProperty(stem.role) ? TABLE.colours[stem.role] : TABLE.colours.other;
        var clip;
        track.set("color", colour);
        clip = newClip(track, stem.paths, spot);
        if (clip === null) {
            removeTrack(song, track);
            return null;
        }
        track.set("name", stem.title);
        clip.set("color", colour);
        clip.set("warping", 0);
        if (!Live.isOn(clip, "warping")) {  // from now on its markers are in seconds
            endWithFile(clip);
            startAt(clip, spot.trimS);
        }
        return clip;
    }

    /** The end marker keeps its beats when a clip is unwarped, and would end it too early, or far too late. */
    function endWithFile(clip) {
        ["loop_end", "end_marker"].forEach(function (marker) {
            if (isOff(Live.number(clip, marker), lengthS(clip))) {
                clip.set(marker, lengthS(clip));
            }
        });
    }

    function lengthS(clip) {
        return Live.number(clip, "sample_length") / Live.number(clip, "sample_rate");
    }

    /** In seconds. Newer versions of Live move the start with the loop's; others only while the clip is looped. */
    function startAt(clip, seconds) {
        if (isOff(Live.number(clip, "start_marker"), seconds)) {
            clip.set("loop_start", seconds);
        }
        if (isOff(Live.number(clip, "start_marker"), seconds)) {
            clip.set("looping", 1);
            clip.set("loop_start", seconds);
            clip.set("start_marker", seconds);
            clip.set("looping", 0);
        }
    }

    function isOff(foundS, wantedS) {
        return Math.abs(foundS - wantedS) > SAME_S;
    }

    /** What is not as it was asked for, in words. */
    function faults(order, placed) {
        return [tempoFault(order)].concat(placed.map(faultOf)).filter(function (words) {
            return words !== "";
        });
    }

    function tempoFault(order) {
        var isMatched = hasTempo(Live.at("live_set"), order.tempoBpm);
        return isMatched ? "" : "The set kept its tempo. Is it automated, or does Link lead?";
    }

    function faultOf(stem) {
        var words = "Look at " + stem.title + " in Live: its clip ";
        if (!Live.exists(stem.clip)) {
            return "";
        }
        if (Live.isOn(stem.clip, "warping")) {
            return words + "is still warped.";
        }
        if (isOff(Live.number(stem.clip, "start_marker"), stem.startS)) {
            return words + "does not begin at " + stem.startS.toFixed(3) + " s of its file.";
        }
        return endS(stem.clip) < lengthS(stem.clip) - WHOLE_S ? words + "ends before its file." : "";
    }

    function endS(clip) {
        return Math.min(Live.number(clip, "end_marker"), Live.number(clip, "loop_end"));
    }

    function newTrack(song, index, title) {
        var before = Live.ids(song, "tracks");
        var fresh;
        song.call("create_audio_track", index);
        fresh = Live.ids(song, "tracks").filter(function (id) {
            return before.indexOf(id) < 0;
        });
        if (!fresh.length) {
            throw new Problem("Live made no track for " + title + ". Some editions allow only a few.");
        }
        return Live.at("id " + fresh[0]);
    }

    function newClip(track, paths, spot) {
        var isSlot = spot.hasOwnProperty("scene");
        var clip = null;
        paths.forEach(function (path) {
            if (clip === null) {
                clip = isSlot ? inSlot(track, path, spot.scene) : inArrangement(track, path, spot.beats);
            }
        });
        return clip;
    }

    function inSlot(track, path, scene) {
        var slot = Live.at("id " + Live.ids(track, "clip_slots")[scene]);
        slot.call("create_audio_clip", path);
        return Live.child(slot, "clip");
    }

    function inArrangement(track, path, beats) {
        track.call("create_audio_clip", path, beats);
        return Live.child(track, "arrangement_clips");
    }

    /** Only for a track that was made here and holds nothing. */
    function removeTrack(song, track) {
        song.call("delete_track", Live.indexIn(song, "tracks", track));
    }

    function mute(clip) {
        var track = clip === null ? null : Live.around(clip, "Track");
        if (track !== null && !Live.isOn(track, "mute")) {
            track.set("mute", 1);
        }
    }

    /** New tracks are selected by Live, and the device would go out of sight. */
    function showAgain(track) {
        var view = Live.at("live_set view");
        var shown = Live.child(view, "selected_track");
        if (track !== null && (shown === null || String(shown.id) !== String(track.id))) {
            view.set("selected_track", "id", Number(track.id));
        }
    }

    return { run: run, faults: faults, isPossible: isPossible };
}());
