/* What is known of jobs, and which of them the panel shows: the newest at work, or the one that was chosen. */
var Jobs = (function () {
    "use strict";
    var MOST = 40;
    var OPEN = { PENDING: "Waiting", PROCESSING: "Starting", RETRYING_QA: "Checking again" };
    var ENDED = { SUCCESS: "Done", FAILED: "Failed", CANCELLED: "Cancelled" };

    /** tell(text): what the producer should read. */
    function Jobs(tell) {
        this.tell = tell;
        this.byId = {};
        this.order = [];
        this.shown = null;
    }

    /** An event; the newest job that is open takes the place of one that is not. */
    Jobs.prototype.take = function (heard) {
        var job = this.of(heard.values.job);
        TAKE[heard.name].call(this, job, heard.values);
        if (this.shown === null || !isOpen(this.shown)) {
            this.shown = job;
        }
    };

    /** The job that a command made, or found; events may be ahead of the answer. */
    Jobs.prototype.accept = function (values) {
        var job = this.of(values.job);
        job.title = values.title;
        if (!OPEN.hasOwnProperty(values.state)) {
            job.state = values.state;
            job.share = values.state === "SUCCESS" ? 1 : 0;
        }
        this.shown = job;
    };

    /** The state of things instead of the story: what is not in it is no longer known. */
    Jobs.prototype.recap = function (rows) {
        var shownId = this.shown === null ? "" : this.shown.id;
        this.byId = {};
        this.order = [];
        rows.forEach(function (row) {
            var job = this.of(row.job);
            job.title = row.title;
            job.state = row.state;
            job.share = row.share;
            job.files = row.files;
        }, this);
        this.shown = this.byId[shownId] || this.byId[this.order[this.order.length - 1]] || null;
    };

    /** The newest, as many as are asked for; the newest first. */
    Jobs.prototype.newest = function (count) {
        return this.order.slice(-count).reverse().map(function (id) {
            return this.byId[id];
        }, this);
    };

    /** Of the newest, the one after the shown one is shown. */
    Jobs.prototype.showNext = function (count) {
        var newest = this.newest(count);
        this.shown = newest[(newest.indexOf(this.shown) + 1) % newest.length] || null;
    };

    Jobs.prototype.of = function (id) {
        if (!this.byId.hasOwnProperty(id)) {
            this.byId[id] = {
                id: id, title: "", state: "PENDING", words: "", share: 0, remainingS: -1, files: 0,
                before: "", after: "", isAsked: false
            };
            this.order.push(id);
            if (this.order.length > MOST) {
                delete this.byId[this.order.shift()];
            }
        }
        return this.byId[id];
    };

    function isOpen(job) {
        return OPEN.hasOwnProperty(job.state);
    }

    /** How it stands, in words. */
    function wordsOf(job) {
        if (isOpen(job)) {
            return job.words || OPEN[job.state];
        }
        return ENDED[job.state] + (job.files > 0 ? ": " + job.files + " files" : "");
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
            job.files = values.files || 0;
            job.title = job.title || values.title || "";
            this.tell(values.message || values.reason || "");
        };
    }

    var TAKE = {
        queued: function (job, values) {
            job.title = values.title;
            job.state = "PENDING";
        },
        started: function (job) {
            job.state = "PROCESSING";
            job.words = "";
            this.tell("");
        },
        stage: progressed,
        progress: progressed,
        note: function (job, values) {
            this.tell(values.text);
        },
        postponed: function (job, values) {
            job.state = "PENDING";
            job.words = "Goes on in " + Words.minutes(values.delay_s);
            this.tell(values.reason);
        },
        done: ended("SUCCESS", 1),
        failed: ended("FAILED", 0),
        cancelled: ended("CANCELLED", 0)
    };

    Jobs.isOpen = isOpen;
    Jobs.wordsOf = wordsOf;
    return Jobs;
}());
