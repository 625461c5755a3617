/*
 * The stembridge device. Made by: python -m ableton.device.script
 * from ableton/device/script and the table of OSC addresses; change those.
 * Copyright the stembridge authors, GPL-3.0-or-later.
 */

var TABLE = {
    protocol: 1,
    shipped: {"recipes": ["full", "quick", "stems-only", "master-only", "voiceover-bed"], "targets": ["streaming", "loud-streaming", "apple", "youtube", "amazon", "club", "broadcast", "broadcast-us", "podcast", "voiceover-bed"]},
    colours: {"vocals": 15498894, "drums": 13801774, "bass": 7185912, "other": 48582, "backing_vocals": 14647480, "guitar": 15239253, "piano": 10262517, "keyboard": 8888057, "percussion": 12297516, "strings": 9941577, "synth": 12356837, "brass": 14716736, "woodwinds": 6994798, "fx": 13796815},
    sent: {
        ack: {"kind": "reply", "fields": [["client", "s"], ["seq", "i"]], "row": []},
        welcome: {"kind": "reply", "fields": [["client", "s"], ["seq", "i"], ["version", "s"], ["protocol", "i"], ["epoch", "s"], ["last", "i"], ["heartbeat_s", "f"], ["capabilities", "s"]], "row": []},
        accepted: {"kind": "reply", "fields": [["client", "s"], ["seq", "i"], ["job", "s"], ["is_new", "i"], ["state", "s"], ["title", "s"]], "row": []},
        refused: {"kind": "reply", "fields": [["client", "s"], ["seq", "i"], ["code", "s"], ["message", "s"]], "row": []},
        job: {"kind": "reply", "fields": [["client", "s"], ["seq", "i"], ["job", "s"], ["state", "s"], ["stage", "s"], ["share", "f"], ["title", "s"], ["recipe", "s"], ["attempt", "i"], ["files", "i"], ["linked_to", "s"], ["error", "s"]], "row": []},
        service: {"kind": "reply", "fields": [["client", "s"], ["seq", "i"], ["version", "s"], ["epoch", "s"], ["last", "i"], ["waiting", "i"], ["working", "i"], ["succeeded", "i"], ["failed", "i"], ["cancelled", "i"]], "row": []},
        job_list: {"kind": "reply", "fields": [["client", "s"], ["seq", "i"], ["has_more", "i"]], "row": [["job", "s"], ["state", "s"], ["share", "f"], ["title", "s"], ["recipe", "s"]]},
        file_list: {"kind": "reply", "fields": [["client", "s"], ["seq", "i"], ["job", "s"], ["total", "i"], ["offset", "i"], ["folder", "s"]], "row": [["file", "s"]]},
        figure_list: {"kind": "reply", "fields": [["client", "s"], ["seq", "i"], ["job", "s"], ["total", "i"], ["offset", "i"]], "row": [["figure", "s"], ["value", "s"]]},
        error_text: {"kind": "reply", "fields": [["client", "s"], ["seq", "i"], ["job", "s"], ["total", "i"], ["offset", "i"], ["part", "s"]], "row": []},
        recipe_list: {"kind": "reply", "fields": [["client", "s"], ["seq", "i"], ["total", "i"], ["offset", "i"]], "row": [["recipe", "s"], ["title", "s"], ["targets", "s"]]},
        target_list: {"kind": "reply", "fields": [["client", "s"], ["seq", "i"], ["total", "i"], ["offset", "i"]], "row": [["target", "s"], ["title", "s"], ["loudness", "f"], ["ceiling", "f"]]},
        subscribed: {"kind": "reply", "fields": [["client", "s"], ["seq", "i"], ["epoch", "s"], ["from", "i"], ["last", "i"]], "row": []},
        unsubscribed: {"kind": "reply", "fields": [["client", "s"], ["seq", "i"]], "row": []},
        events_told: {"kind": "reply", "fields": [["client", "s"], ["seq", "i"], ["epoch", "s"], ["upto", "i"], ["told", "i"], ["last", "i"]], "row": []},
        pong: {"kind": "reply", "fields": [["client", "s"], ["seq", "i"], ["epoch", "s"], ["last", "i"], ["is_subscribed", "i"]], "row": []},
        queued: {"kind": "event", "fields": [["number", "i"], ["epoch", "s"], ["job", "s"], ["after", "i"], ["title", "s"], ["recipe", "s"]], "row": []},
        started: {"kind": "event", "fields": [["number", "i"], ["epoch", "s"], ["job", "s"], ["after", "i"], ["attempt", "i"]], "row": []},
        stage: {"kind": "event", "fields": [["number", "i"], ["epoch", "s"], ["job", "s"], ["after", "i"], ["stage", "s"], ["words", "s"], ["share", "f"]], "row": []},
        progress: {"kind": "event", "fields": [["number", "i"], ["epoch", "s"], ["job", "s"], ["after", "i"], ["share", "f"], ["remaining_s", "f"], ["stage", "s"], ["words", "s"]], "row": []},
        note: {"kind": "event", "fields": [["number", "i"], ["epoch", "s"], ["job", "s"], ["after", "i"], ["stage", "s"], ["text", "s"]], "row": []},
        postponed: {"kind": "event", "fields": [["number", "i"], ["epoch", "s"], ["job", "s"], ["after", "i"], ["delay_s", "f"], ["reason", "s"]], "row": []},
        done: {"kind": "event", "fields": [["number", "i"], ["epoch", "s"], ["job", "s"], ["after", "i"], ["files", "i"], ["folder", "s"], ["title", "s"]], "row": []},
        failed: {"kind": "event", "fields": [["number", "i"], ["epoch", "s"], ["job", "s"], ["after", "i"], ["error", "s"], ["message", "s"]], "row": []},
        cancelled: {"kind": "event", "fields": [["number", "i"], ["epoch", "s"], ["job", "s"], ["after", "i"], ["reason", "s"]], "row": []},
        beat: {"kind": "notice", "fields": [["epoch", "s"], ["last", "i"]], "row": []},
        resync: {"kind": "notice", "fields": [["epoch", "s"], ["last", "i"], ["part", "i"], ["parts", "i"]], "row": [["job", "s"], ["state", "s"], ["stage", "s"], ["share", "f"], ["title", "s"], ["recipe", "s"], ["files", "i"]]},
        unknown_client: {"kind": "notice", "fields": [["client", "s"]], "row": []},
        closing: {"kind": "notice", "fields": [["epoch", "s"]], "row": []}
    }
};

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

/* Brings events into their order: what is new is told once, a gap is noticed. As ableton/client.py. */
var Follower = (function () {
    "use strict";
    var MOST_EARLY = 1000;

    function Follower(tell) {
        this.epoch = "";
        this.number = -1;
        this.last = -1;
        this.tell = tell;
        this.early = {};
    }

    /** From which number to ask again; null where nothing that is known of is missing. */
    Follower.prototype.missed = function () {
        return this.last > this.number ? this.number : null;
    };

    /** Everything up to `number` is known, by a subscription or by the state. */
    Follower.prototype.start = function (epoch, number) {
        this.epoch = epoch;
        this.number = number;
        this.last = number;
        this.early = {};
    };

    /** Events up to this number were told to somebody. */
    Follower.prototype.notice = function (last) {
        this.last = Math.max(this.last, last);
    };

    /** An event, a beat, or the end of what was asked again. */
    Follower.prototype.take = function (heard) {
        if (heard.values.epoch !== this.epoch) {
            return;
        }
        if (heard.name === "beat") {
            this.notice(heard.values.last);
        } else if (heard.name === "events_told") {
            this.endOfRetold(heard.values);
        } else {
            this.takeEvent(heard);
        }
    };

    Follower.prototype.takeEvent = function (heard) {
        this.early[heard.values.number] = heard;
        this.notice(heard.values.number);
        this.waiting().slice(MOST_EARLY).forEach(function (number) {
            delete this.early[number];  // the lowest are those that close the gap
        }, this);
        this.tellReady();
    };

    /** Tell what waits for nothing any more. */
    Follower.prototype.tellReady = function () {
        this.waiting().forEach(function (number) {
            var event = this.early[number];
            if (event.values.after <= this.number && this.number < number) {
                this.number = number;
                this.tell(event);
            }
            if (number <= this.number) {
                delete this.early[number];
            }
        }, this);
    };

    Follower.prototype.waiting = function () {
        return Object.keys(this.early).map(Number).sort(function (one, other) {
            return one - other;
        });
    };

    Follower.prototype.endOfRetold = function (values) {
        if (values.told <= this.number) {
            this.number = Math.max(this.number, values.upto);
        }
        this.tellReady();
        this.notice(values.last);
    };

    return Follower;
}());

/* Gathers the parts of a `resync`, of which each may be lost, come twice or in any order. */
var Recap = (function () {
    "use strict";

    function Recap() {
        this.key = "";
        this.done = "";
        this.parts = {};
    }

    /** A part; the rows of the whole, once, when the last of its parts is there, else null. */
    Recap.prototype.take = function (heard) {
        var key = heard.values.epoch + " " + heard.values.last;
        if (key === this.done) {
            return null;
        }
        if (key !== this.key) {
            this.key = key;
            this.parts = {};
        }
        this.parts[heard.values.part] = heard.rows;
        if (Object.keys(this.parts).length < heard.values.parts) {
            return null;
        }
        this.done = key;
        return this.whole(heard.values.parts);
    };

    Recap.prototype.whole = function (parts) {
        var rows = [];
        var part;
        for (part = 0; part < parts; part += 1) {
            rows = rows.concat(this.parts[part]);
        }
        return rows;
    };

    return Recap;
}());

/*
 * Talks to the service as docs/osc.md wants it: sends again until it is answered, says hello anew where the
 * service was away, follows events without a gap.
 *
 * ways: send(message), listen(port), wake(after_ms), now() in ms, random() from 0 to 1.
 * tell: lamp(state), welcome(values), connected(), event(heard), recap(rows), refused(heard).
 */
var Client = (function () {
    "use strict";
    var FIRST_GAP_MS = 100;
    var LONGEST_GAP_MS = 1000;
    var HELLO_AFTER = 3;            // unheard repeats of a command after which hello is said again
    var PORT_AFTER_MS = 5000;       // without a welcome at a port that never had one: another may have it
    var AWAY_AFTER_MS = 3000;       // without a welcome: the lamp says away
    var PATIENCE_MS = 30000;        // without a sign of a command: it is given up
    var LOWEST_PORT = 20000;
    var PORTS = 40000;
    var PASSING = { busy: true, closing: true };  // refusals after which the same command is sent again
    var LAMP = { away: 0, asking: 1, connected: 2 };

    function Client(name, ways, tell) {
        var self = this;
        this.name = name;
        this.ways = ways;
        this.tell = tell;
        this.seq = 0;
        this.pending = {};
        this.port = 0;
        this.isPortProven = false;
        this.isToSubscribe = true;
        /** Since when a welcome is awaited; null while there is none to await. */
        this.askedMs = null;
        this.heartbeatMs = 10000;
        this.pingedMs = ways.now();
        this.lamp = LAMP.away;
        this.recap = new Recap();
        this.follower = new Follower(function (heard) {
            self.tell.event(heard);
        });
    }

    /** Begin: choose a port, say hello. */
    Client.prototype.start = function () {
        this.listenAnew();
        this.hello();
    };

    /** Send a command until it is answered; `answered` gets the answer, or null where none came in time. */
    Client.prototype.ask = function (name, args, answered) {
        this.put(this.enqueue(name, args, answered || function () {}));
        this.plan();
    };

    /** As a command that was sent once, and is to be sent again soon. */
    Client.prototype.enqueue = function (name, args, answered) {
        var now = this.ways.now();
        this.seq += 1;
        this.pending[this.seq] = {
            name: name, seq: this.seq, args: Messages.trimmed(args), answered: answered,
            sinceMs: now, signMs: now, dueMs: now + FIRST_GAP_MS, gapMs: FIRST_GAP_MS, repeats: 0,
            isAcked: false
        };
        return this.pending[this.seq];
    };

    /** What the receiver got: a message from the service. */
    Client.prototype.take = function (address, args) {
        var heard = Messages.heard(address, args);
        if (heard === null || (heard.values.hasOwnProperty("client") && heard.values.client !== this.name)) {
            return;
        }
        if (heard.kind === "reply") {
            this.takeReply(heard);
        } else if (heard.kind === "event" || heard.name === "beat") {
            this.follower.take(heard);
            this.askMissed();
        } else if (heard.name === "resync") {
            this.takeRecap(heard);
        } else {  // unknown_client, closing
            this.introduceAnew();
        }
        this.plan();
    };

    /** Time passed: send again what is due. */
    Client.prototype.tick = function () {
        var now = this.ways.now();
        this.each(function (pending) {
            if (!this.isGivenUp(pending, now) && now >= pending.dueMs) {
                this.repeat(pending, now);
            }
        });
        this.keepAlive(now);
        this.plan();
    };

    // hello

    Client.prototype.listenAnew = function () {
        this.port = LOWEST_PORT + Math.floor(this.ways.random() * PORTS);
        this.isPortProven = false;
        this.ways.listen(this.port);
    };

    Client.prototype.hello = function () {
        if (this.isAsking("hello")) {
            return;
        }
        if (this.askedMs === null) {
            this.askedMs = this.ways.now();
            this.show(LAMP.asking);
        }
        this.ask("hello", [this.port]);
    };

    Client.prototype.repeatHello = function (pending, now) {
        if (now - this.askedMs >= AWAY_AFTER_MS) {
            this.show(LAMP.away);
        }
        if (now - pending.sinceMs >= PORT_AFTER_MS && !this.isPortProven) {
            delete this.pending[pending.seq];
            this.start();
        } else {
            this.put(pending);
        }
    };

    Client.prototype.introduceAnew = function () {
        this.isToSubscribe = true;
        this.hello();
    };

    Client.prototype.takeWelcome = function (heard) {
        this.isPortProven = true;
        this.askedMs = null;
        this.heartbeatMs = Math.max(100, heard.values.heartbeat_s * 1000);
        this.show(LAMP.connected);
        this.tell.welcome(heard.values);
        if (this.isToSubscribe || heard.values.epoch !== this.follower.epoch) {
            this.subscribe();
        }
    };

    // events

    Client.prototype.subscribe = function () {
        this.isToSubscribe = true;
        if (!this.isAsking("subscribe")) {
            this.ask("subscribe", this.lastKnown());
        }
    };

    Client.prototype.lastKnown = function () {
        return this.follower.epoch === "" ? [] : [this.follower.number, this.follower.epoch];
    };

    /** Subscribed: if the state was told before, a part of it may be lost; it is asked again, not at once. */
    Client.prototype.takeSubscribed = function (heard) {
        if (heard.values.epoch !== this.follower.epoch || heard.values.from > this.follower.number) {
            this.enqueue("subscribe", this.lastKnown(), function () {});
            return;
        }
        this.isToSubscribe = false;
        this.follower.notice(heard.values.last);
        this.askMissed();
        this.tell.connected();
    };

    Client.prototype.takeRecap = function (heard) {
        var rows = this.recap.take(heard);
        var epoch = heard.values.epoch;
        var last = heard.values.last;
        if (rows !== null && (epoch !== this.follower.epoch || last >= this.follower.number)) {
            this.follower.start(epoch, last);
            this.tell.recap(rows);
        }
    };

    /** One question at a time: while one is under way, others would only double what it brings. */
    Client.prototype.askMissed = function () {
        if (this.follower.missed() !== null && !this.isAsking("events")) {
            this.ask("events", [this.follower.missed(), this.follower.epoch]);
        }
    };

    /** The notice that it ended may be lost; every pong says it, too. */
    Client.prototype.checkSubscription = function (heard) {
        if (!heard.values.is_subscribed || heard.values.epoch !== this.follower.epoch) {
            this.introduceAnew();
        }
    };

    // replies

    Client.prototype.takeReply = function (heard) {
        var pending = this.pending[heard.values.seq];
        if (!pending) {
            return;
        }
        pending.signMs = this.ways.now();
        if (heard.name === "ack") {
            pending.isAcked = true;
        } else if (heard.name === "refused" && PASSING.hasOwnProperty(heard.values.code)) {
            pending.dueMs = pending.signMs + LONGEST_GAP_MS;
        } else {
            delete this.pending[pending.seq];
            this.takeAnswer(heard, pending);
        }
    };

    Client.prototype.takeAnswer = function (heard, pending) {
        if (heard.name === "welcome") {
            this.takeWelcome(heard);
        } else if (heard.name === "subscribed") {
            this.takeSubscribed(heard);
        } else if (heard.name === "events_told") {
            this.follower.take(heard);
            this.askMissed();
        } else if (heard.name === "pong") {
            this.checkSubscription(heard);
        } else if (heard.name === "refused") {
            this.tell.refused(heard);
        }
        pending.answered(heard);
    };

    // time

    Client.prototype.repeat = function (pending, now) {
        pending.repeats += 1;
        pending.gapMs = Math.min(LONGEST_GAP_MS, 2 * pending.gapMs);
        pending.dueMs = now + pending.gapMs;
        if (pending.name === "hello") {
            this.repeatHello(pending, now);
            return;
        }
        if (!pending.isAcked && pending.repeats % HELLO_AFTER === 0) {
            this.hello();
        }
        this.put(pending);
    };

    /** Hello is never given up; what only keeps the talk going is asked again by itself. */
    Client.prototype.isGivenUp = function (pending, now) {
        if (pending.name === "hello" || now - pending.signMs < PATIENCE_MS) {
            return false;
        }
        delete this.pending[pending.seq];
        pending.answered(null);
        return true;
    };

    /** A ping every heartbeat. One that is not heard leads to hello, as each command; its pong says the rest. */
    Client.prototype.keepAlive = function (now) {
        if (now - this.pingedMs < this.heartbeatMs) {
            return;
        }
        this.pingedMs = now;
        if (!this.isAsking("hello") && !this.isAsking("ping")) {
            this.ask("ping", []);
        }
    };

    Client.prototype.plan = function () {
        var next = this.pingedMs + this.heartbeatMs;
        this.each(function (pending) {
            next = Math.min(next, pending.dueMs);
        });
        this.ways.wake(Math.max(1, next - this.ways.now()));
    };

    // helpers

    Client.prototype.put = function (pending) {
        this.ways.send([Messages.PREFIX + pending.name, this.name, pending.seq].concat(pending.args));
    };

    Client.prototype.each = function (visit) {
        Object.keys(this.pending).forEach(function (seq) {
            if (this.pending[seq]) {
                visit.call(this, this.pending[seq]);
            }
        }, this);
    };

    Client.prototype.isAsking = function (name) {
        return Object.keys(this.pending).some(function (seq) {
            return this.pending[seq].name === name;
        }, this);
    };

    Client.prototype.show = function (lamp) {
        if (lamp !== this.lamp) {
            this.lamp = lamp;
            this.tell.lamp(lamp);
        }
    };

    Client.LAMP = LAMP;
    return Client;
}());

/** All rows of a list that comes in pages; `done(rows, isWhole)` is called once. */
var askPages = (function () {
    "use strict";

    return function (client, command, reply, args, done) {
        var rows = [];
        var offset = 0;

        function ask() {
            client.ask(command, offset ? args.concat(offset) : args, take);
        }

        function take(heard) {
            if (heard === null || heard.name !== reply) {
                done(rows, false);
                return;
            }
            rows = rows.concat(heard.rows);
            offset = heard.values.offset + heard.rows.length;
            if (heard.rows.length && offset < heard.values.total) {
                ask();
            } else {
                done(rows, offset >= heard.values.total);
            }
        }

        ask();
    };
}());

/* What is known of jobs, and which of them the device shows: its own, else the newest that happens. */
var Jobs = (function () {
    "use strict";
    var MOST = 60;
    var OPEN = { PENDING: true, PROCESSING: true, RETRYING_QA: true };

    function Jobs() {
        this.byId = {};
        this.order = [];
        this.shown = null;
    }

    /** The job of that id; made where it is new. */
    Jobs.prototype.of = function (id) {
        if (!this.byId.hasOwnProperty(id)) {
            this.byId[id] = {
                id: id, title: "", state: "PENDING", words: "", share: 0, remainingS: -1, reason: "",
                folder: "", figures: null, isAsked: false, source: null, isOwn: false, isImported: false,
                isExplained: false
            };
            this.order.push(id);
            this.forget();
        }
        return this.byId[id];
    };

    /** A job that this device asked for; it is the one that is shown. */
    Jobs.prototype.accept = function (values, source) {
        var isKnown = this.byId.hasOwnProperty(values.job);
        var job = this.of(values.job);
        job.title = values.title;
        if (!isKnown || !isOpen(values)) {
            job.state = values.state;  // events may be ahead of the answer
        }
        job.isOwn = true;
        job.isImported = false;
        job.source = source || job.source;
        job.words = isOpen(job) ? job.words : "";
        this.shown = job;
        return job;
    };

    /** An event; the job that it is of. */
    Jobs.prototype.take = function (heard) {
        var job = this.of(heard.values.job);
        TAKE[heard.name](job, heard.values);
        if (this.shown === null || (isOpen(job) && isReleased(this.shown))) {
            this.shown = job;
        }
        return job;
    };

    /** The state of things instead of the story. */
    Jobs.prototype.recap = function (rows) {
        rows.forEach(function (row) {
            var job = this.of(row.job);
            job.title = row.title;
            job.state = row.state;
            job.share = row.share;
        }, this);
        if (this.shown === null && rows.length) {
            this.shown = this.of(rows[rows.length - 1].job);
        }
    };

    /** Whether `rows` leave open how the shown job stands: it is not among them, or it failed, and why? */
    Jobs.prototype.isUntold = function (rows) {
        var shown = this.shown;
        if (shown === null || !isOpen(shown)) {
            return shown !== null && shown.state === "FAILED" && !shown.isExplained;
        }
        return !rows.some(function (row) {
            return row.job === shown.id;
        });
    };

    /** The oldest goes, but not the one that is shown. */
    Jobs.prototype.forget = function () {
        var isKept = this.shown !== null && this.order[0] === this.shown.id;
        if (this.order.length > MOST) {
            delete this.byId[this.order.splice(isKept ? 1 : 0, 1)[0]];
        }
    };

    /** Whether another's job may take its place: stems that were asked for here wait to be imported. */
    function isReleased(job) {
        return !isOpen(job) && (!job.isOwn || job.isImported || job.state !== "SUCCESS");
    }

    function isOpen(job) {
        return OPEN.hasOwnProperty(job.state);
    }

    function progressed(job, values) {
        job.state = "PROCESSING";
        job.words = values.words;
        job.share = values.share;
        job.remainingS = values.hasOwnProperty("remaining_s") ? values.remaining_s : -1;
    }

    function ended(state, share) {
        return function (job, values) {
            job.state = state;
            job.share = share;
            job.words = "";
            job.folder = values.folder || "";
            job.title = job.title || values.title || "";
            job.reason = values.message || values.reason || "";
            job.isExplained = true;
        };
    }

    var TAKE = {
        queued: function (job, values) {
            job.title = values.title;
            job.state = "PENDING";
            job.words = "";
        },
        started: function (job) {
            job.state = "PROCESSING";
            job.words = "Starting";
            job.reason = "";
        },
        stage: progressed,
        progress: progressed,
        note: function () {},  // the report has it
        postponed: function (job, values) {
            job.state = "PENDING";
            job.words = "Goes on in " + Words.minutes(values.delay_s);
            job.reason = values.reason;
        },
        done: ended("SUCCESS", 1),
        failed: ended("FAILED", 0),
        cancelled: ended("CANCELLED", 0)
    };

    function isDone(job) {
        return job.state === "SUCCESS";
    }

    /** Where a job stands, for people. */
    function words(job) {
        if (isDone(job)) {
            return job.words || doneWords(job);
        }
        if (!isOpen(job)) {
            return job.state === "FAILED" ? "Failed" : "Cancelled";
        }
        return (job.words || (job.state === "PENDING" ? "Waiting for its turn" : "Working")) +
            (job.remainingS >= 1 ? ", " + Words.minutes(job.remainingS) + " left" : "");
    }

    function doneWords(job) {
        var stems = canImport(job) ? job.figures.stems.length : 0;
        return stems ? "Done. " + Words.count(stems, "stem") + " to import" : "Done";
    }

    function canImport(job) {
        return job !== null && job.figures !== null && job.figures.stems.length > 0 && job.folder !== "";
    }

    /** The stems of a job that can be imported: {title, role, paths}, with all ways to write a path. */
    function stems(job) {
        return job.figures.stems.map(function (stem) {
            return { title: stem.title, role: stem.role, paths: pathsOf(job.folder, stem.file) };
        });
    }

    /** As the system writes it, and with slashes, as Max writes those of Windows. */
    function pathsOf(folder, file) {
        var path = folder + "/" + file;
        return folder.indexOf("\\") < 0 ? [path] : [path.replace(/\//g, "\\"), path.replace(/\\/g, "/")];
    }

    function stemFolder(job) {
        return stems(job)[0].paths[0].replace(/[\/\\][^\/\\]*$/, "");
    }

    Jobs.isOpen = isOpen;
    Jobs.isDone = isDone;
    Jobs.words = words;
    Jobs.canImport = canImport;
    Jobs.stems = stems;
    Jobs.stemFolder = stemFolder;
    return Jobs;
}());

/* What a job found out, from the pairs of names and values that `figures` lists. */
var Figures = (function () {
    "use strict";

    /** {before, after, tempoBpm, stems: [{title, role, file}]}; "" and null for what is not known. */
    function read(pairs) {
        var byName = {};
        pairs.forEach(function (pair) {
            byName[pair.figure] = pair.value;
        });
        return {
            before: Words.loudness(byName["source.integrated_lufs"], byName["source.true_peak_dbtp"]),
            after: afterOf(byName),
            tempoBpm: parseFloat(byName.tempo_bpm) || null,
            stems: stemsOf(byName)
        };
    }

    /** The first master's. */
    function afterOf(byName) {
        var lufs = Object.keys(byName).filter(function (name) {
            return (/^masters\..+\.integrated_lufs$/).test(name);
        })[0];
        var dbtp = lufs ? lufs.replace("integrated_lufs", "true_peak_dbtp") : "";
        return Words.loudness(byName[lufs], byName[dbtp]);
    }

    function stemsOf(byName) {
        var stems = [];
        var at = "stem_files.0.";
        while (byName.hasOwnProperty(at + "file")) {
            stems.push({ title: byName[at + "title"], role: byName[at + "role"], file: byName[at + "file"] });
            at = "stem_files." + stems.length + ".";
        }
        return stems;
    }

    return { read: read };
}());

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

    function get(api, property) {
        var found = api.get(property);
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
        startAt(clip, spot.trimS);
        return clip;
    }

    /** In seconds, as the clip is unwarped. Some markers hold only if they are set while the clip is looped. */
    function startAt(clip, seconds) {
        if (!isAt(clip, seconds)) {
            clip.set("start_marker", seconds);
        }
        if (!isAt(clip, seconds)) {
            clip.set("looping", 1);
            clip.set("loop_start", seconds);
            clip.set("start_marker", seconds);
            clip.set("looping", 0);
        }
    }

    function isAt(clip, seconds) {
        return Math.abs(Live.number(clip, "start_marker") - seconds) <= SAME_S;
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
        var wholeS = Live.number(stem.clip, "sample_length") / Live.number(stem.clip, "sample_rate");
        var words = "Look at " + stem.title + " in Live: its clip ";
        if (Live.isOn(stem.clip, "warping")) {
            return words + "is still warped.";
        }
        if (!isAt(stem.clip, stem.startS)) {
            return words + "does not begin at " + stem.startS.toFixed(3) + " s of its file.";
        }
        return Live.number(stem.clip, "end_marker") < wholeS - WHOLE_S ? words + "ends before its file." : "";
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

/* A menu: "automatic" first, then what the service has. The choice is kept by its name. */
var Menu = (function () {
    "use strict";
    var AUTOMATIC = "automatic";

    function Menu(kind, shipped, display) {
        this.kind = kind;
        this.names = [AUTOMATIC].concat(shipped);
        this.chosen = AUTOMATIC;
        this.display = display;
    }

    /** The name as commands take it: "" for automatic. */
    Menu.prototype.value = function () {
        return this.chosen === AUTOMATIC ? "" : this.chosen;
    };

    /** The user chose; kept with the set only where it is new, for that makes an undo step. */
    Menu.prototype.choose = function (index) {
        var name = this.names[index];
        if (name !== undefined && name !== this.chosen) {
            this.chosen = name;
            this.display.note(this.kind, index);
            this.display.put(["keep_" + this.kind, name]);
        }
    };

    /** What was kept with the set. */
    Menu.prototype.restore = function (name) {
        this.chosen = name || AUTOMATIC;
        this.show();
    };

    /** The service's names. A choice that it has no more stays in sight, and is refused in words. */
    Menu.prototype.fill = function (names) {
        this.names = [AUTOMATIC].concat(names);
        this.show();
    };

    Menu.prototype.show = function () {
        if (this.names.indexOf(this.chosen) < 0) {
            this.names = this.names.concat(this.chosen);
        }
        this.display.say.apply(this.display, [this.kind + "s"].concat(this.names));
        this.display.say(this.kind, this.names.indexOf(this.chosen));
    };

    return Menu;
}());

/* Says what is new, and nothing twice: the display is drawn again for each message. */
var Display = (function () {
    "use strict";

    function Display(put) {
        this.put = put;
        this.said = {};
    }

    Display.prototype.say = function () {
        var message = Array.prototype.slice.call(arguments);
        if (this.note.apply(this, message)) {
            this.put(message);
        }
    };

    /** What the display shows by itself; whether that is new. */
    Display.prototype.note = function () {
        var text = JSON.stringify(Array.prototype.slice.call(arguments));
        var isNew = this.said[arguments[0]] !== text;
        this.said[arguments[0]] = text;
        return isNew;
    };

    return Display;
}());

/* The device: what its buttons do, what it shows, and how jobs and the set come together. */
var Device = (function () {
    "use strict";
    var AWAY = "stembridge is away. Start it: stembridge serve";
    var SAVE_FIRST = "Save the set first, so that results go to its project. This song's go elsewhere.";
    var OTHER_PROTOCOL = "Device and service do not fit. Install the device again: stembridge device install";
    var OLD_LIVE = "This Live cannot lay stems on tracks, 12.0.5 can. Drag them from the folder that opened.";
    var SETTLED_MS = 500;

    /** ways: those of Client, and display(message), open(url), later(after_ms, act). */
    function Device(ways) {
        this.ways = ways;
        this.display = new Display(ways.display);
        this.recipe = new Menu("recipe", TABLE.shipped.recipes, this.display);
        this.target = new Menu("target", TABLE.shipped.targets, this.display);
        this.jobs = new Jobs();
        this.client = null;
        this.isSession = false;
        this.isTempoMatched = false;
        this.asking = "";
    }

    /** Live is there. Comes again when the device is saved. */
    Device.prototype.ready = function (name) {
        if (this.client === null) {
            this.client = new Client(name, this.ways, this.ears());
            this.client.start();
            this.recipe.show();
            this.target.show();
            this.show();
        }
    };

    Device.prototype.ears = function () {
        var self = this;
        return {
            lamp: function (lamp) {
                self.display.say("lamp", lamp);
                self.show();
            },
            welcome: function (values) {
                if (values.protocol !== TABLE.protocol) {
                    self.fail(OTHER_PROTOCOL);
                }
            },
            connected: function () {
                self.askNames("recipes", "recipe_list", self.recipe, "recipe");
                self.askNames("targets", "target_list", self.target, "target");
                self.complete(self.jobs.shown);
                self.show();
            },
            event: function (heard) {
                self.complete(self.jobs.take(heard));
                self.show();
            },
            recap: function (rows) {
                self.jobs.recap(rows);
                if (self.jobs.isUntold(rows)) {
                    self.askStatus(self.jobs.shown);
                }
                self.complete(self.jobs.shown);
                self.show();
            },
            refused: function (heard) {
                self.fail(heard.values.message);
            }
        };
    };

    // buttons

    Device.prototype.processNewest = function () {
        this.submit("process_newest", [], null);
    };

    Device.prototype.processFile = function (path) {
        this.submit("process", [path], null);
    };

    Device.prototype.processClip = function () {
        var clip = Live.selectedClip();
        if (clip === null) {
            this.fail("No clip is selected. Click the song's clip, then press again.");
        } else if (!Place.isAudio(clip)) {
            this.fail("The selected clip is MIDI. Select an audio clip.");
        } else if (Live.text(clip, "file_path") === "") {
            this.fail("The selected clip has no file yet. Save the set, or choose the file itself.");
        } else {
            this.submit("process", [Live.text(clip, "file_path")], Place.note(clip));
        }
    };

    Device.prototype.cancel = function () {
        var job = this.jobs.shown;
        if (job !== null && Jobs.isOpen(job)) {
            this.fail("");
            this.client.ask("cancel", [job.id], this.expecting());
        }
    };

    Device.prototype.importStems = function () {
        var job = this.jobs.shown;
        var order;
        if (!Jobs.canImport(job)) {
            this.fail("There are no stems to import yet.");
            return;
        }
        this.fail("");
        if (!Importer.isPossible(this.isSession)) {
            this.ways.open(Words.fileUrl(Jobs.stemFolder(job)));
            this.fail(OLD_LIVE);
            return;
        }
        order = {
            stems: Jobs.stems(job),
            clip: Place.find(job.source, job.title),
            isSession: this.isSession,
            tempoBpm: this.isTempoMatched && job.figures.tempoBpm || 0
        };
        this.tellImport(job, Importer.run(order), order);
    };

    Device.prototype.tellImport = function (job, result, order) {
        var problems = result.problems;
        if (this.isTempoMatched && !order.tempoBpm) {
            problems = problems.concat("The song's tempo is not sure, so the set keeps its own.");
        }
        job.isImported = result.placed.length > 0;
        job.words = job.isImported ? "On new tracks: " + Words.listed(result.placed) : "";
        this.fail(problems.join(" "));
        this.show();
        this.lookAfter(order, result.placed, problems);
    };

    /** Live does some things only after a moment. */
    Device.prototype.lookAfter = function (order, placed, problems) {
        var self = this;
        this.ways.later(SETTLED_MS, function () {
            var faults = Importer.faults(order, placed);
            if (faults.length) {
                self.fail(problems.concat(faults).join(" "));
            }
        });
    };

    // talk

    Device.prototype.submit = function (command, args, source) {
        var self = this;
        var path = Live.setPath();
        this.fail(path === "" ? SAVE_FIRST : "");
        this.asking = "Asking for it";
        args = args.concat(this.recipe.value(), path || "", this.target.value());
        this.client.ask(command, args, function (heard) {
            self.asking = "";
            if (heard !== null && heard.name === "accepted") {
                self.complete(self.jobs.accept(heard.values, source));
            }
            self.expecting()(heard);
            self.show();
        });
        this.show();
    };

    /** Says so where no answer came; a refusal says itself. */
    Device.prototype.expecting = function () {
        var self = this;
        return function (heard) {
            if (heard === null) {
                self.fail("stembridge did not answer. Is it running? Start it: stembridge serve");
            }
        };
    };

    /** Fill a menu, page by page. */
    Device.prototype.askNames = function (command, reply, menu, field) {
        askPages(this.client, command, reply, [], function (rows, isWhole) {
            if (isWhole) {
                menu.fill(rows.map(function (row) {
                    return row[field];
                }));
            }
        });
    };

    Device.prototype.askStatus = function (job) {
        var self = this;
        this.client.ask("status", [job.id], function (heard) {
            if (heard !== null && heard.name === "job") {
                job.state = heard.values.state;
                job.share = heard.values.share;
                job.reason = heard.values.error;
                job.isExplained = true;
                self.complete(job);
                self.show();
            }
        });
    };

    /** What a delivered job that is shown has for us: its folder and figures, asked once. */
    Device.prototype.complete = function (job) {
        var self = this;
        if (job === null || job !== this.jobs.shown || !Jobs.isDone(job) || job.figures || job.isAsked) {
            return;
        }
        job.isAsked = true;
        this.client.ask("files", [job.id], function (heard) {
            job.folder = heard !== null && heard.name === "file_list" ? heard.values.folder : job.folder;
            self.show();
        });
        askPages(this.client, "figures", "figure_list", [job.id], function (rows, isWhole) {
            job.isAsked = false;
            job.figures = isWhole ? Figures.read(rows) : null;
            self.show();
        });
    };

    // display

    Device.prototype.fail = function (words) {
        this.display.say("error", words);
    };

    Device.prototype.show = function () {
        var job = this.jobs.shown;
        var figures = job === null ? null : job.figures;
        this.display.say("stage", this.stageWords(job));
        this.display.say("song", job === null ? "" : job.title);
        this.display.say("progress", job === null ? 0 : job.share);
        this.display.say("before", figures === null ? "" : figures.before);
        this.display.say("after", figures === null ? "" : figures.after);
        this.display.say("can_import", Jobs.canImport(job) ? 1 : 0);
        this.display.say("can_cancel", job !== null && Jobs.isOpen(job) ? 1 : 0);
        if (job !== null && job.reason !== "") {
            this.fail(job.reason);
            job.reason = "";
        }
    };

    Device.prototype.stageWords = function (job) {
        if (this.client.lamp !== Client.LAMP.connected) {
            return this.client.lamp === Client.LAMP.away ? AWAY : "Looking for stembridge";
        }
        return this.asking || (job === null ? "Ready" : Jobs.words(job));
    };

    return Device;
}());

/* Max's side: inlets, outlets, the clock. What the functions answer is in ableton/device/INTERFACE.md. */
inlets = 2;
outlets = 3;
autowatch = 0;

var TO_SERVICE = 0;
var TO_RECEIVER = 1;
var TO_DISPLAY = 2;

var alarm = null;
var afterwards = null;
var skewMs = 0;
var lastMs = 0;
var device = new Device({
    send: function (message) {
        outlet(TO_SERVICE, message);
    },
    listen: function (port) {
        outlet(TO_RECEIVER, "port", port);
    },
    display: function (message) {
        outlet(TO_DISPLAY, message);
    },
    open: function (url) {
        max.launchbrowser(url);
    },
    later: function (afterMs, act) {
        afterwards = new Task(act, this);
        afterwards.schedule(afterMs);
    },
    wake: function (afterMs) {
        alarm.cancel();
        alarm.schedule(afterMs);
    },
    now: now,
    random: random
});

/** Milliseconds that never go back, also where the computer's clock is set back. */
function now() {
    var found = new Date().getTime();
    skewMs += Math.max(0, lastMs - found - skewMs);
    lastMs = found + skewMs;
    return lastMs;
}
now.local = 1;

/** From 0 to 1, other than in another device, even where both draw the same. */
function random() {
    var number = Math.random() + Number(Live.at("this_device").id) * 0.6180339887;
    return number - Math.floor(number);
}
random.local = 1;

/** A name that no other device of this or another set has. */
function freshName() {
    var parts = [new Date().getTime(), Math.floor(random() * 0x7FFFFFFF), Number(Live.at("this_device").id)];
    return "live-" + parts.map(function (part) {
        return part.toString(36);
    }).join("-");
}
freshName.local = 1;

function ready() {
    if (alarm === null) {
        alarm = new Task(function () {
            device.client.tick();
        }, this);
        device.ready(freshName());
    }
}

function process_newest() {
    whenReady(function () {
        device.processNewest();
    });
}

function process_file() {
    var path = arrayfromargs(arguments).join(" ");
    whenReady(function () {
        device.processFile(path);
    });
}

function process_clip() {
    whenReady(function () {
        device.processClip();
    });
}

function import_stems() {
    whenReady(function () {
        device.importStems();
    });
}

function cancel() {
    whenReady(function () {
        device.cancel();
    });
}

function recipe(index) {
    device.recipe.choose(index);
}

function target(index) {
    device.target.choose(index);
}

function kept_recipe() {
    device.recipe.restore(arrayfromargs(arguments).join(" "));
}

function kept_target() {
    device.target.restore(arrayfromargs(arguments).join(" "));
}

function import_to(index) {
    device.isSession = index === 1;
}

function tempo(index) {
    device.isTempoMatched = index === 1;
}

/** What the service says. */
function anything() {
    var address = messagename;
    var args = arrayfromargs(arguments);
    whenReady(function () {
        device.client.take(address, args);
    });
}

/** The device is removed: nothing may be said any more. */
function notifydeleted() {
    [alarm, afterwards].forEach(function (task) {
        if (task !== null) {
            task.cancel();
        }
    });
}

function whenReady(act) {
    if (alarm !== null) {
        act();
    }
}
whenReady.local = 1;
