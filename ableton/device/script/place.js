/* Where in the set a song's clip lies, so that its stems can be put at the same place. */
var Place = (function () {
    "use strict";

    /** What to remember of a clip, to find it again; its id holds as long as the set is open. */
    function note(clip) {
        return { id: String(clip.id), path: Live.text(clip, "file_path") };
    }

    /** The clip that was noted if it is still there, else the selected one if its file has that title. */
    function find(noted, title) {
        var clip = noted ? Live.at("id " + noted.id) : null;
        if (clip !== null && isOf(clip, noted.path)) {
            return clip;
        }
        clip = Live.selectedClip();
        return clip !== null && isAudio(clip) && titleOf(clip) === title ? clip : null;
    }

    function isOf(clip, path) {
        var isClip = Live.exists(clip) && clip.type === "Clip" && isAudio(clip);
        return isClip && Live.text(clip, "file_path") === path;
    }

    function titleOf(clip) {
        return Words.titleOf(Live.text(clip, "file_path"));
    }

    function isAudio(clip) {
        return Live.isOn(clip, "is_audio_clip");
    }

    /**
     * Where in the arrangement the file's first sample lies: {beats, trimS}. Of a clip that begins before the
     * set does, only what comes after can be laid out: trimS seconds of each stem stay unheard.
     */
    function inArrangement(clip) {
        var startBeats, beatsPerSecond, skipped;
        if (clip === null || !Live.isOn(clip, "is_arrangement_clip")) {
            return { beats: 0, trimS: 0 };
        }
        startBeats = Live.number(clip, "start_time");
        beatsPerSecond = Live.number(Live.at("live_set"), "tempo") / 60;
        skipped = skippedBeats(clip, beatsPerSecond);
        if (startBeats - skipped >= 0) {
            return { beats: startBeats - skipped, trimS: 0 };
        }
        return { beats: startBeats, trimS: skipped / beatsPerSecond };
    }

    /** How much of the file lies before the clip's left edge, in beats of the set. */
    function skippedBeats(clip, beatsPerSecond) {
        var marker = Live.number(clip, "start_marker");
        if (!Live.isOn(clip, "warping")) {
            return marker * beatsPerSecond;  // without warp, markers are in seconds
        }
        return marker - beatOfFirstSample(clip);
    }

    /** A warped clip's beats count from its first downbeat: where the file begins, its warp markers say. */
    function beatOfFirstSample(clip) {
        var markers = warpMarkers(clip);
        var first = markers[0];
        var second = markers[1];
        var beatsPerSecond;
        if (!second || second.sample_time === first.sample_time) {
            return 0;
        }
        beatsPerSecond = (second.beat_time - first.beat_time) / (second.sample_time - first.sample_time);
        return first.beat_time - first.sample_time * beatsPerSecond;
    }

    function warpMarkers(clip) {
        try {
            return JSON.parse(Live.text(clip, "warp_markers")).warp_markers || [];
        } catch (ignored) {
            return [];
        }
    }

    /** The scene of a clip in a slot, else the selected scene, counted from 0. */
    function scene(clip) {
        var slot = clip === null ? null : Live.around(clip, "ClipSlot");
        var selected = Live.child(Live.at("live_set view"), "selected_scene");
        if (slot !== null) {
            return Live.indexIn(Live.around(clip, "Track"), "clip_slots", slot);
        }
        return selected === null ? 0 : Math.max(0, Live.indexIn(Live.at("live_set"), "scenes", selected));
    }

    /** Before which track new ones go so that they stand beside the device's; a group is not entered. */
    function besideDevice(song) {
        var tracks = Live.ids(song, "tracks");
        var own = Live.around(Live.at("this_device"), "Track");
        var index = own === null ? -1 : Live.indexIn(song, "tracks", own);
        if (index < 0) {
            return tracks.length;  // on a return or the main track
        }
        do {
            index += 1;
        } while (index < tracks.length && isInside(tracks[index], own));
        return index;
    }

    function isInside(trackId, group) {
        var around = Live.child(Live.at("id " + trackId), "group_track");
        return around !== null && (String(around.id) === String(group.id) || isInside(around.id, group));
    }

    return {
        note: note, find: find, isAudio: isAudio, inArrangement: inArrangement, scene: scene,
        besideDevice: besideDevice
    };
}());
