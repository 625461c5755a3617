/*
 * Live's object model, as far as the device needs it. Nothing here may be called before live.thisdevice.
 * LiveAPI raises nothing: what is not there reads as id 0, and what fails is seen by looking afterwards.
 */
var Live = (function () {
    "use strict";

    /** The object at a path, or of an id: "live_set", "id 7". */
    function at(path) {
        return new LiveAPI(null, path);
    }

    function exists(api) {
        return Number(api.id) !== 0;
    }

    /** A list; empty where there is no object: LiveAPI answers for that with a plain 1. */
    function get(api, property) {
        var found = exists(api) ? api.get(property) : null;
        return found === null || found === undefined ? [] : [].concat(found);
    }

    function text(api, property) {
        return get(api, property).join(" ");
    }

    function number(api, property) {
        return Number(get(api, property)[0]);
    }

    function isOn(api, property) {
        return number(api, property) === 1;
    }

    /** The ids in a list of children: ["id", 3, "id", 4] is ["3", "4"]. */
    function ids(api, children) {
        return get(api, children).filter(function (atom) {
            return atom !== "id" && Number(atom) !== 0;
        }).map(String);
    }

    function child(api, name) {
        var found = ids(api, name);
        return found.length ? at("id " + found[0]) : null;
    }

    /** Where among the children an object is, from 0; -1 where it is not. */
    function indexIn(api, children, one) {
        return ids(api, children).indexOf(String(one.id));
    }

    /** The nearest object of that type around this one, itself included; null where there is none. */
    function around(api, type) {
        var found = api;
        while (found !== null && exists(found) && found.type !== type) {
            found = found.type === "Song" ? null : child(found, "canonical_parent");
        }
        return found !== null && exists(found) ? found : null;
    }

    /** Whether this Live knows the function or property: its description of the object names it. */
    function knows(api, name) {
        return new RegExp("\\b" + name + "\\b").test(String(api.info));
    }

    /** The set's file; "" for a set that was never saved, null where Live does not tell (before 11.3). */
    function setPath() {
        var song = at("live_set");
        return knows(song, "file_path") ? text(song, "file_path") : null;
    }

    /** The clip that is selected, or that the highlighted slot holds; null where there is none. */
    function selectedClip() {
        var view = at("live_set view");
        var clip = child(view, "detail_clip");
        var slot = clip === null ? child(view, "highlighted_clip_slot") : null;
        return slot === null ? clip : child(slot, "clip");
    }

    return {
        at: at, exists: exists, text: text, number: number, isOn: isOn, ids: ids, child: child,
        indexIn: indexIn, around: around, knows: knows, setPath: setPath, selectedClip: selectedClip
    };
}());
