/*
 * Open Stage Control's side: buttons become commands, what the service says becomes what the widgets show.
 *
 * Widgets send to /stembridge/NAME (buttons) and /remote/NAME (choices); both end here, and the client sends
 * what is meant. They show what is received at /remote/NAME.
 */
var REMOTE = "/remote/";
var TICK_MS = 50;
var SHOWN_JOBS = 3;
var LAMPS = ["\u25cb", "\u25d0", "\u25cf"];
var STATES = ["stembridge is away. Is it running?", "Looking for stembridge", "Connected to stembridge"];

var shown = {};
var chosen = {};
var presses = 0;
var jobs = new Jobs(function (text) {
    show("message", text);
});

var client = new Client(freshName(), {
    send: function (message) {
        send.apply(null, [TABLE.host, TABLE.port, message[0]].concat(message.slice(1).map(typed)));
    },
    listen: function () {},
    wake: function () {},
    now: Date.now,
    random: Math.random
}, {
    lamp: function (state) {
        show("lamp", LAMPS[state]);
        show("state", STATES[state]);
    },
    welcome: function (values) {
        show("state", STATES[Client.LAMP.connected] + " " + values.version);
    },
    connected: function () {},
    event: function (heard) {
        jobs.take(heard);
        askTitle(jobs.shown);
        draw();
    },
    recap: function (rows) {
        jobs.recap(rows);
        draw();
    },
    refused: function (heard) {
        show("message", heard.values.message);
    }
});

/** Answers come where Open Stage Control listens. */
client.listenAnew = function () {
    this.port = settings.read("osc-port") || settings.read("port") || 8080;
};

/** A service that listens at one address of its machine alone takes even its neighbours for strangers. */
client.ask = function (name, args, answered) {
    Client.prototype.ask.call(this, name, name === "hello" ? args.concat(TABLE.token) : args, answered);
};

function freshName() {
    return "stage-" + Date.now().toString(36) + "-" + Math.floor(Math.random() * 0x7FFFFFFF).toString(36);
}

function typed(argument) {
    return typeof argument === "number" ? { type: "i", value: argument } : { type: "s", value: argument };
}

// displays

function show(name, value) {
    if (shown[name] !== value) {
        shown[name] = value;
        receive(REMOTE + name, value);
    }
}

/** A screen that was opened now knows nothing yet. */
function showAll() {
    Object.keys(shown).forEach(function (name) {
        receive(REMOTE + name, shown[name]);
    });
}

function lineOf(job) {
    var mark = job === jobs.shown ? "> " : "";
    var share = Jobs.isOpen(job) ? " " + Math.floor(100 * job.share) + "%" : "";
    return mark + job.title + "  -  " + Jobs.wordsOf(job) + share;
}

function remainingOf(job) {
    return Jobs.isOpen(job) && job.remainingS >= 0 ? Words.minutes(job.remainingS) + " to go" : "";
}

function draw() {
    var job = jobs.shown;
    show("title", job ? job.title : "");
    show("stage", job ? Jobs.wordsOf(job) : "No job yet");
    show("progress", job ? job.share : 0);
    show("remaining", job ? remainingOf(job) : "");
    show("before", job ? job.before : "");
    show("after", job ? job.after : "");
    show("jobs", jobs.newest(SHOWN_JOBS).map(lineOf).join("\n"));
    if (job && job.state === "SUCCESS" && !job.isAsked) {
        job.isAsked = true;
        askFigures(job, []);
    }
}

/** Events do not say it, and a job may be told of that was not there, or was forgotten. */
function askTitle(job) {
    if (job.title !== "" || client.isAsking("status")) {
        return;
    }
    client.ask("status", [job.id], function (heard) {
        if (heard !== null && heard.name === "job") {
            job.title = heard.values.title;
            draw();
        }
    });
}

/** Loudness and peak before and after, page by page. */
function askFigures(job, rows) {
    client.ask("figures", [job.id, rows.length], function (heard) {
        if (heard === null || heard.name !== "figure_list") {
            return;
        }
        rows = rows.concat(heard.rows);
        if (heard.rows.length && rows.length < heard.values.total) {
            askFigures(job, rows);
            return;
        }
        takeFigures(job, rows);
        draw();
    });
}

/** Of several masters, the first. */
function takeFigures(job, rows) {
    var found = {};
    var masters = [];
    rows.forEach(function (row) {
        var master = (/^(masters\..+\.)integrated_lufs$/).exec(row.figure);
        found[row.figure] = parseFloat(row.value);
        masters = master ? masters.concat(master[1]) : masters;
    });
    job.before = loudness("Before  ", found["source.integrated_lufs"], found["source.true_peak_dbtp"]);
    job.after = loudness("After  ", found[masters[0] + "integrated_lufs"], found[masters[0] + "true_peak_dbtp"]);
}

function loudness(what, lufs, dbtp) {
    return isFinite(lufs) && isFinite(dbtp) ? what + lufs.toFixed(1) + " LUFS  " + dbtp.toFixed(1) + " dBTP" : "";
}

// buttons and choices

function press(command) {
    var sources = TABLE.buttons[command].sources;
    var mine = presses + 1;
    presses = mine;
    show("message", "");
    if (sources.indexOf("job") >= 0 && jobs.shown === null) {
        show("message", "There is no job yet. Press \"Process newest\".");
        return;
    }
    client.ask(command, sources.map(valueOf), function (heard) {
        if (heard === null) {
            show("message", "stembridge does not answer");
        } else if (heard.name === "accepted") {
            jobs.accept(heard.values, mine === presses);
            draw();
        }
    });
}

function valueOf(source) {
    return source === "job" ? jobs.shown.id : (chosen[source] || "");
}

// what Open Stage Control calls

function nameAfter(prefix, address) {
    return address.indexOf(prefix) === 0 ? address.slice(prefix.length) : "";
}

module.exports = {
    init: function () {
        client.start();
        draw();
        app.on("sessionOpened", showAll);
        setInterval(function () {
            client.tick();
        }, TICK_MS);
    },

    /** From the service: for the client; from elsewhere: for the widgets. */
    oscInFilter: function (data) {
        if (nameAfter(Messages.PREFIX, data.address) === "") {
            return data;
        }
        client.take(data.address, data.args.map(function (argument) {
            return argument.value;
        }));
        return undefined;
    },

    /** From a widget. */
    oscOutFilter: function (data) {
        var command = nameAfter(Messages.PREFIX, data.address);
        var name = nameAfter(REMOTE, data.address);
        if (TABLE.buttons.hasOwnProperty(command)) {
            press(command);
        } else if (name === "next_job") {
            presses += 1;
            show("message", "");
            jobs.showNext(SHOWN_JOBS);
            draw();
        } else if (name !== "") {
            chosen[name] = data.args.length ? data.args[0].value : "";
        } else {
            return data;
        }
        return undefined;
    }
};
