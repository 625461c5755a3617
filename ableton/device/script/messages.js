/* Messages of the service with their arguments by name, as the table of addresses describes them. */
var Messages = (function () {
    "use strict";
    var PREFIX = "/stembridge/";

    function asTyped(type, given) {
        return type === "s" ? String(given) : Number(given);
    }

    /** What was heard: {name, kind, values, rows}; null for what is not in the table, or too short for it. */
    function heard(address, given) {
        var name = String(address).replace(PREFIX, "");
        var entry = TABLE.sent.hasOwnProperty(name) ? TABLE.sent[name] : null;
        if (entry === null || String(address) !== PREFIX + name || given.length < entry.fields.length) {
            return null;
        }
        return { name: name, kind: entry.kind, values: fieldsOf(entry, given), rows: rowsOf(entry, given) };
    }

    function fieldsOf(entry, given) {
        return named(entry.fields, given, 0);
    }

    function rowsOf(entry, given) {
        var rows = [];
        var at = entry.fields.length;
        while (entry.row.length && at + entry.row.length <= given.length) {
            rows.push(named(entry.row, given, at));
            at += entry.row.length;
        }
        return rows;
    }

    function named(fields, given, at) {
        var values = {};
        var i;
        for (i = 0; i < fields.length; i += 1) {
            values[fields[i][0]] = asTyped(fields[i][1], given[at + i]);
        }
        return values;
    }

    /** A command's arguments without empty ones at the end: they are the service's defaults. */
    function trimmed(args) {
        var end = args.length;
        while (end > 0 && args[end - 1] === "") {
            end -= 1;
        }
        return args.slice(0, end);
    }

    return { PREFIX: PREFIX, heard: heard, trimmed: trimmed };
}());
