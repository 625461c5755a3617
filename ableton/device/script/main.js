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
