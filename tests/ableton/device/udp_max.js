// Max around the script, in real time and with real UDP: node udp_max.js SERVICE_PORT SET_PATH LOST_SHARE
// LOST_SHARE of all packets are lost, both ways.
// In: one JSON array a line, [inlet, message, ...arguments], ["clip", values] to select a clip, or ["look"].
// Out: one JSON array a line: what the display is told, ["port", N], and for "look" ["set", {tracks, errors}].
"use strict";
const dgram = require("node:dgram");
const fs = require("node:fs");
const readline = require("node:readline");
const { FakeLive } = require("./fake_live.js");
const { FakeMax } = require("./fake_max.js");

const padded = (bytes) => Buffer.concat([bytes, Buffer.alloc(4 - (bytes.length % 4))]);
const string = (text) => padded(Buffer.from(text));

/** As udpsend does it: whole numbers as int32, others as float32, symbols as strings. */
function encoded([address, ...atoms]) {
    const tags = atoms.map((atom) => (typeof atom === "string" ? "s" : Number.isInteger(atom) ? "i" : "f"));
    const values = atoms.map((atom, at) => {
        const number = Buffer.alloc(4);
        if (tags[at] === "s") {
            return string(atom);
        }
        number[tags[at] === "i" ? "writeInt32BE" : "writeFloatBE"](atom);
        return number;
    });
    return Buffer.concat([string(address), string(`,${tags.join("")}`), ...values]);
}

/** As udpreceive does it. */
function decoded(packet) {
    let at = 0;
    const text = () => {
        const end = packet.indexOf(0, at);
        const found = packet.toString("utf8", at, end);
        at = end + 4 - (end % 4);
        return found;
    };
    const number = (read) => {
        at += 4;
        return packet[read](at - 4);
    };
    const readers = { s: text, i: () => number("readInt32BE"), f: () => number("readFloatBE") };
    const address = text();
    return [address, ...Array.from(text().slice(1), (tag) => readers[tag]())];
}

/** A set whose audio files are those of the disk. */
class DiskLive extends FakeLive {
    constructor(options) {
        super(options);
        this.files = { has: (path) => fs.existsSync(path) };
    }
}

class UdpMax extends FakeMax {
    constructor(live, servicePort, lostShare) {
        super(live, process.pid);
        this.isLost = () => Math.random() < lostShare;
        this.sender = dgram.createSocket("udp4");
        this.onSent = (outlet, message) => {
            if (outlet === 0 && this.isLost()) {
                return;
            }
            if (outlet === 0) {
                this.sender.send(encoded(message), servicePort, "127.0.0.1");
            } else if (outlet === 1) {
                this.listen(message[1]);
            } else {
                tell(message);
            }
        };
    }

    globals() {
        const max = this;
        class Task {
            constructor(act) {
                this.act = act;
            }

            schedule(afterMs) {
                this.timer = setTimeout(() => max.live.isReady && this.act(), afterMs);
            }

            cancel() {
                clearTimeout(this.timer);
            }
        }
        return { ...super.globals(), Task, FakeDate: Date };
    }

    /** As udpreceive: at a port that another has, it hears nothing, and says nothing of it. */
    listen(port) {
        if (this.receiver) {
            this.receiver.close();
        }
        const receiver = dgram.createSocket("udp4");
        receiver.on("error", () => { this.receiver = null; });
        receiver.on("message", (packet) => this.isLost() || this.send(1, ...decoded(packet)));
        receiver.bind(port, "127.0.0.1", () => tell(["port", port]));
        this.receiver = receiver;
    }
}

const tell = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

function set(live) {
    const tracks = live.tracks.map((track) => ({
        ...track.values, clips: track.lists.arrangement_clips.map((clip) => clip.values)
    }));
    return ["set", { tracks, errors: live.errors, undo: live.undo }];
}

const live = new DiskLive({ path: process.argv[3] });
live.deviceOn(live.track("Song"));
live.isReady = true;
const max = new UdpMax(live, Number(process.argv[2]), Number(process.argv[4]));
readline.createInterface({ input: process.stdin })
    .on("line", (line) => {
        const [inlet, ...message] = JSON.parse(line);
        if (inlet === "look") {
            tell(set(live));
        } else if (inlet === "clip") {
            live.select(live.clip(live.tracks[0], message[0]));
        } else {
            max.send(inlet, ...message);
        }
    })
    .on("close", () => process.exit(0));
