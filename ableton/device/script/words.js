/* Texts as people read them, and names taken from paths. */
var Words = (function () {
    "use strict";

    function fileName(path) {
        return String(path).split(/[\/\\]/).pop();
    }

    /** A path's file without its ending: the title under which the service knows a song. */
    function titleOf(path) {
        return fileName(path).replace(/\.[^.]*$/, "");
    }

    /** Seconds as 1:05. */
    function minutes(seconds) {
        var whole = Math.max(0, Math.round(seconds));
        var rest = whole % 60;
        return Math.floor(whole / 60) + ":" + (rest < 10 ? "0" : "") + rest;
    }

    /** Loudness and peak as "-9.1 LUFS  0.4 dBTP"; "" where they are not known. */
    function loudness(lufs, dbtp) {
        if (!isFinite(parseFloat(lufs)) || !isFinite(parseFloat(dbtp))) {
            return "";
        }
        return parseFloat(lufs).toFixed(1) + " LUFS  " + parseFloat(dbtp).toFixed(1) + " dBTP";
    }

    function count(number, noun) {
        return number + " " + noun + (number === 1 ? "" : "s");
    }

    /** The titles of things: "Vocals, Drums". */
    function listed(things) {
        return things.map(function (thing) {
            return thing.title;
        }).join(", ");
    }

    /** A path as a file URL, for Windows and the rest. */
    function fileUrl(path) {
        var plain = String(path).replace(/\\/g, "/");
        var root = plain.charAt(0) === "/" ? "file://" : "file:///";
        return root + encodeURI(plain).replace(/#/g, "%23").replace(/\?/g, "%3F");
    }

    return {
        titleOf: titleOf, minutes: minutes, loudness: loudness, count: count, listed: listed, fileUrl: fileUrl
    };
}());
