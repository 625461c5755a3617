/* Brings events into their order: what is new is told once, a gap is noticed. As ableton/follower.py. */
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
