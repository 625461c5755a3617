/* Brings events into their order: what is new is told once, a gap is noticed. As ableton/client.py. */
var Follower = (function () {
    "use strict";
    var MOST_EARLY = 1000;

    function Follower(tell) {
        this.epoch = "";
        this.number = -1;
        /** From which number to ask again; null where nothing is missing. */
        this.missed = null;
        this.tell = tell;
        this.early = {};
    }

    /** Everything up to `number` is known, by a subscription or by the state. */
    Follower.prototype.start = function (epoch, number) {
        this.epoch = epoch;
        this.number = number;
        this.missed = null;
        this.early = {};
    };

    /** An event, a beat, or the end of what was asked again. */
    Follower.prototype.take = function (heard) {
        if (heard.values.epoch !== this.epoch) {
            return;
        }
        if (heard.name === "beat") {
            this.noticeGap(heard.values.last);
        } else if (heard.name === "events_told") {
            this.endOfRetold(heard.values);
        } else {
            this.takeEvent(heard);
        }
    };

    Follower.prototype.takeEvent = function (heard) {
        if (this.waiting().length < MOST_EARLY) {
            this.early[heard.values.number] = heard;
        }
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
        if (this.waiting().length) {
            this.missed = this.number;
        }
    };

    Follower.prototype.waiting = function () {
        return Object.keys(this.early).map(Number).sort(function (one, other) {
            return one - other;
        });
    };

    Follower.prototype.endOfRetold = function (values) {
        this.missed = null;
        if (values.told <= this.number) {
            this.number = Math.max(this.number, values.upto);
        }
        this.noticeGap(values.last);
    };

    Follower.prototype.noticeGap = function (last) {
        if (last > this.number) {
            this.missed = this.number;
        }
    };

    return Follower;
}());

/* Gathers the parts of a `resync`, of which each may be lost, come twice or in any order. */
var Recap = (function () {
    "use strict";

    function Recap() {
        this.key = "";
        this.parts = {};
    }

    /** A part; the rows of the whole when the last of its parts is there, else null. */
    Recap.prototype.take = function (heard) {
        var key = heard.values.epoch + " " + heard.values.last;
        if (key !== this.key) {
            this.key = key;
            this.parts = {};
        }
        this.parts[heard.values.part] = heard.rows;
        if (Object.keys(this.parts).length < heard.values.parts) {
            return null;
        }
        return this.whole(heard.values.parts);
    };

    Recap.prototype.whole = function (parts) {
        var rows = [];
        var part;
        for (part = 0; part < parts; part += 1) {
            rows = rows.concat(this.parts[part]);
        }
        this.key = "";
        return rows;
    };

    return Recap;
}());
