// The script in a set of the given path, on lines of JSON: messages to its inlets come in, what it says goes out, an empty line ends each turn.
"use strict";
const readline = require("node:readline");
const { FakeLive } = require("./fake_live.js");
const { FakeMax } = require("./fake_max.js");

const max = new FakeMax(new FakeLive({ path: process.argv[2] }));
max.live.isReady = true;
max.onSent = (outlet, message) => process.stdout.write(JSON.stringify([outlet, message]) + "\n");
readline.createInterface({ input: process.stdin }).on("line", (line) => {
    const { pass, inlet, message } = JSON.parse(line);
    if (pass) {
        max.pass(pass);
    } else if (inlet === 0 && typeof max.context[message[0]] !== "function") {
        throw new Error(`the script does not know ${message[0]}`);
    } else {
        max.send(inlet, ...message);
    }
    process.stdout.write("\n");
});
