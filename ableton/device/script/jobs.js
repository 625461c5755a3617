/* What is known of jobs, and which of them the device shows: its own, else the newest that happens. */
var Jobs = (function () {
    "use strict";
    var MOST = 100;  // more than a recap has
    var MAC_DRIVE = "/Volumes/Macintosh HD";
    var OPEN = { PENDING: true, PROCESSING: true, RETRYING_QA: true };
    var ENDED = { SUCCESS: "Done", FAILED: "Failed", CANCELLED: "Cancelled" };

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
                folder: "", files: 0, figures: null, isAsked: false, source: null, isOwn: false,
                isImported: false, isExplained: false
            };
            this.order.push(id);
            this.forget();
        }
        return this.byId[id];
    };

    /** A job that this device asked for; shown if nothing was asked for since. */
    Jobs.prototype.accept = function (values, source, isNewest) {
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
        job.share = isDone(job) ? 1 : job.share;
        this.shown = isNewest ? job : this.shown;
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
            job.share = row.share;
            job.files = row.files;
            stands(job, row.state, job.isImported ? job.words : "");
        }, this);
        if (this.shown === null && rows.length) {
            this.shown = this.of((rows.filter(isAtWork).pop() || rows[rows.length - 1]).job);
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
        var hasNone = job.figures !== null && !job.figures.stems.length;
        return !isOpen(job) && (!job.isOwn || job.isImported || !isDelivered(job) || hasNone);
    }

    function isOpen(job) {
        return OPEN.hasOwnProperty(job.state);
    }

    function isAtWork(job) {
        return isOpen(job) && job.state !== "PENDING";
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
            job.folder = values.folder || "";
            job.title = job.title || values.title || "";
            job.reason = values.message || values.reason || "";
            job.isExplained = true;
        };
    }

    var TAKE = {
        queued: function (job, values) {
            job.title = values.title;
            stands(job, "PENDING", "");
        },
        started: function (job) {
            stands(job, "PROCESSING", "Starting");
            job.reason = "";
        },
        stage: progressed,
        progress: progressed,
        note: function () {},  // the report has it
        postponed: function (job, values) {
            stands(job, "PENDING", "Goes on in " + Words.minutes(values.delay_s));
            job.reason = values.reason;
        },
        done: ended("SUCCESS", 1),
        failed: ended("FAILED", 0),
        cancelled: ended("CANCELLED", 0)
    };

    /** How it stood when it was asked for; its end may have come before the answer. */
    function told(job, values) {
        job.title = values.title;
        job.files = values.files;
        if (isOpen(job) || !job.isExplained) {
            job.state = values.state;
            job.share = values.share;
            job.reason = values.error;
            job.isExplained = !isOpen(job);
        }
    }

    function isDone(job) {
        return job.state === "SUCCESS";
    }

    /** Also where it failed for want of a master: its stems are there. */
    function isDelivered(job) {
        return isDone(job) || (!isOpen(job) && job.files > 0);
    }

    /** Where a job stands, for people. */
    function words(job) {
        if (!isOpen(job)) {
            return job.words || ENDED[job.state] + stemWords(job);
        }
        return (job.words || (job.state === "PENDING" ? "Waiting for its turn" : "Working")) +
            (job.remainingS >= 1 ? ", " + Words.minutes(job.remainingS) + " left" : "");
    }

    function stemWords(job) {
        return canImport(job) ? ". " + Words.count(job.figures.stems.length, "stem") + " to import" : "";
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

    /** As the system writes it; else with slashes, as Max writes those of Windows, or after a Mac's drive. */
    function pathsOf(folder, file) {
        var path = folder + "/" + file;
        if (folder.indexOf("\\") >= 0) {
            return [path.replace(/\//g, "\\"), path.replace(/\\/g, "/")];
        }
        return (/^\/Volumes\//).test(path) ? [path] : [path, MAC_DRIVE + path];
    }

    function stemFolder(job) {
        return stems(job)[0].paths[0].replace(/[\/\\][^\/\\]*$/, "");
    }

    Jobs.isOpen = isOpen;
    Jobs.isDelivered = isDelivered;
    Jobs.told = told;
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
