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
