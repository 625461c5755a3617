/* What is known of jobs, and which of them the panel shows: the newest at work, or the one that was chosen. */
var Jobs = (function () {
    "use strict";
    var MOST = 100;  // more than a recap has
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

    /** The job that a command made, or found; events, and answers to newer commands, may be ahead of it. */
    Jobs.prototype.accept = function (values, isNewest) {
        var job = this.of(values.job);
        job.title = values.title;
        if (!OPEN.hasOwnProperty(values.state)) {
            job.state = values.state;
            job.share = values.state === "SUCCESS" ? 1 : 0;
        }
        this.shown = isNewest ? job : this.shown;
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
        this.shown = this.byId[shownId] || this.atWork() || this.newest(1)[0] || null;
    };

    Jobs.prototype.atWork = function () {
        return this.newest(MOST).filter(function (job) {
            return isOpen(job) && job.state !== "PENDING";
        })[0];
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
            this.forget();
        }
        return this.byId[id];
    };

    /** The oldest goes, but not the one that is shown. */
    Jobs.prototype.forget = function () {
        var isKept = this.shown !== null && this.order[0] === this.shown.id;
        if (this.order.length > MOST) {
            delete this.byId[this.order.splice(isKept ? 1 : 0, 1)[0]];
        }
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

    /** What was known of the time that is left holds no more. */
    function stands(job, state, words) {
        job.state = state;
        job.words = words;
        job.remainingS = -1;
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
            stands(job, "PENDING", "");
        },
        started: function (job) {
            stands(job, "PROCESSING", "");
            this.tell("");
        },
        stage: progressed,
        progress: progressed,
        note: function (job, values) {
            this.tell(values.text);
        },
        postponed: function (job, values) {
            stands(job, "PENDING", "Goes on in " + Words.minutes(values.delay_s));
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
