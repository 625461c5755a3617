/* The device: what its buttons do, what it shows, and how jobs and the set come together. */
var Device = (function () {
    "use strict";
    var AWAY = "stembridge is away. Start it: stembridge serve";
    var SAVE_FIRST = "Save the set first, so that results go to its project. This song's go elsewhere.";
    var OTHER_PROTOCOL = "Device and service do not fit. Install the device again: stembridge device install";
    var OLD_LIVE = "This Live cannot lay stems on tracks, 12.0.5 can. Drag them from the folder that opened.";
    var UNKNOWN = "-";
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
        this.presses = 0;
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
                self.askMore(self.jobs.shown, heard);
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
        var press = this.presses + 1;
        this.presses = press;
        this.fail(path === "" ? SAVE_FIRST : "");
        this.asking = "Asking for it";
        args = args.concat(this.recipe.value(), path || "", this.target.value());
        this.client.ask(command, args, function (heard) {
            var isNewest = press === self.presses;  // answers may overtake one another
            self.asking = isNewest ? "" : self.asking;
            if (heard !== null && heard.name === "accepted") {
                self.complete(self.jobs.accept(heard.values, source, isNewest));
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

    /** What an event does not say: the title, if nothing was told before; whether a job that failed has stems. */
    Device.prototype.askMore = function (job, heard) {
        var hasFailed = heard.name === "failed" && heard.values.job === job.id;
        if (hasFailed || (job.title === "" && !this.client.isAsking("status"))) {
            this.askStatus(job);
        }
    };

    Device.prototype.askStatus = function (job) {
        var self = this;
        this.client.ask("status", [job.id], function (heard) {
            if (heard !== null && heard.name === "job") {
                Jobs.told(job, heard.values);
                self.complete(job);
                self.show();
            }
        });
    };

    /** What a job that delivered and is shown has for us: its folder and figures, asked once. */
    Device.prototype.complete = function (job) {
        var self = this;
        if (job === null || job !== this.jobs.shown || !Jobs.isDelivered(job) || job.figures || job.isAsked) {
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
        this.display.say("before", figures === null ? UNKNOWN : figures.before || UNKNOWN);
        this.display.say("after", figures === null ? UNKNOWN : figures.after || UNKNOWN);
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
