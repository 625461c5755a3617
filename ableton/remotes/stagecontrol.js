/*
 * Open Stage Control's side: buttons become commands, what the service says becomes what the widgets show.
 *
 * Widgets send to /stembridge/NAME (buttons) and /remote/NAME (choices); both end here, and the client sends
 * what is meant. They show what is received at /remote/NAME.
 */
var DISPLAY = "/remote/";
var TICK_MS = 50;
var SHOWN_JOBS = 3;
var WAITING = { PENDING: "Waiting", PROCESSING: "Starting", RETRYING_QA: "Checking again" };
var ENDED = { SUCCESS: "Done", FAILED: "Failed", CANCELLED: "Cancelled" };
var LAMPS = ["\u25cb", "\u25d0", "\u25cf"];
var STATES = ["stembridge is away. Is it running?", "Looking for stembridge", "Connected to stembridge"];

var shown = {};
var chosen = {};
var jobs = new Jobs();

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
        if (heard.name === "note") {
            show("message", heard.values.text);
        }
        draw();
    },
    recap: function (rows) {
        if (jobs.recap(rows)) {  // the service no longer knows the shown job
            jobs = new Jobs();
            jobs.recap(rows);
        }
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
        receive(DISPLAY + name, value);
    }
}

/** A screen that was opened now knows nothing yet. */
function showAll() {
    Object.keys(shown).forEach(function (name) {
        receive(DISPLAY + name, shown[name]);
    });
}

function wordsOf(job) {
    return ENDED[job.state] || job.words || WAITING[job.state];
}

function lineOf(job) {
    var share = Jobs.isOpen(job) ? " " + Math.floor(100 * job.share) + "%" : "";
    return job.title + "  -  " + wordsOf(job) + share;
}

function draw() {
    var job = jobs.shown;
    var newest = jobs.order.slice(-SHOWN_JOBS).reverse();
    show("title", job ? job.title : "");
    show("stage", job ? wordsOf(job) : "No job yet");
    show("progress", job ? job.share : 0);
    show("remaining", job && Jobs.isOpen(job) && job.remainingS >= 0 ? Words.minutes(job.remainingS) + " to go" : "");
    show("jobs", newest.map(function (id) {
        return lineOf(jobs.byId[id]);
    }).join("\n"));
    drawFigures(job);
    if (job && job.reason) {
        show("message", job.reason);
    }
}

function drawFigures(job) {
    var figures = job && job.figures;
    show("before", figures && figures.before ? "Before  " + figures.before : "");
    show("after", figures && figures.after ? "After  " + figures.after : "");
    if (job && job.state === "SUCCESS" && !job.isAsked) {
        job.isAsked = true;
        askFigures(job, []);
    }
}

/** Page by page. */
function askFigures(job, pairs) {
    client.ask("figures", [job.id, pairs.length], function (heard) {
        if (heard === null || heard.name !== "figure_list") {
            return;
        }
        pairs = pairs.concat(heard.rows);
        if (heard.rows.length && pairs.length < heard.values.total) {
            askFigures(job, pairs);
            return;
        }
        job.figures = Figures.read(pairs);
        draw();
    });
}

// buttons and choices

function press(command) {
    var sources = TABLE.buttons[command].sources;
    show("message", "");
    if (sources.indexOf("job") >= 0 && jobs.shown === null) {
        show("message", "There is no job yet. Press \"Process newest\".");
        return;
    }
    client.ask(command, sources.map(valueOf), function (heard) {
        if (heard === null) {
            show("message", "stembridge does not answer");
        } else if (heard.name === "accepted") {
            jobs.accept(heard.values, null);
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
        var choice = nameAfter(DISPLAY, data.address);
        if (TABLE.buttons.hasOwnProperty(command)) {
            press(command);
        } else if (choice !== "") {
            chosen[choice] = data.args.length ? data.args[0].value : "";
        } else {
            return data;
        }
        return undefined;
    }
};
