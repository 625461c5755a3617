// The service, played by hand: answers what the script asks, tells what happens.
"use strict";
const { FakeMax } = require("./fake_max.js");
const { FakeLive } = require("./fake_live.js");

const FIGURES = [
    ["title", "Night Drive"], ["tempo_bpm", "103.0"], ["source.integrated_lufs", "-9.12"],
    ["source.true_peak_dbtp", "0.41"], ["masters.streaming.integrated_lufs", "-14.0"],
    ["masters.streaming.true_peak_dbtp", "-1.0"]
];
const STEMS = [["Vocals", "vocals"], ["Drums", "drums"], ["Bass", "bass"], ["Other", "other"]];
const FOLDER = "/sets/Night/StemBridge/Night Drive";

class FakeService {
    constructor(max, { folder = FOLDER, figures = FIGURES, stems = STEMS } = {}) {
        Object.assign(this, { max, folder, stems, isUp: true, isGreeted: false, isLossy: () => false, isLate: () => false, late: [] });
        Object.assign(this, { epoch: "e1", last: 0, kept: [], rows: [], jobs: 0 });
        Object.assign(this, { requests: [], seen: new Map(), isDelayed: new Set(), ended: new Map() });
        this.state = "PENDING";
        this.figures = figures.concat(stems.flatMap(([title, role], at) => [
            [`stem_files.${at}.title`, title], [`stem_files.${at}.role`, role],
            [`stem_files.${at}.file`, this.fileOf(title)]
        ]));
        max.onSent = (outlet, message) => {
            if (outlet === 1) {
                this.port = message[1];
            } else if (outlet === 0 && this.isUp) {
                this.take(message);
            }
        };
    }

    fileOf(title) {
        return `Stems/Night Drive - ${title} (dry).wav`;
    }

    path(title) {
        const path = `${this.folder}/${this.fileOf(title)}`;
        return this.folder.includes("\\") ? path.replaceAll("/", "\\") : path;
    }

    paths() {
        return this.stems.map(([title]) => this.path(title));
    }

    /** Each command takes effect once; the answer comes each time. */
    take([address, client, seq, ...args]) {
        const name = address.replace("/stembridge/", "");
        this.client = client;
        if (this.isLossy("command", name)) {
            return;
        }
        this.isGreeted = this.isGreeted || (name === "hello" && args[0] === this.port);
        this.reply("ack", seq);
        if (!this.seen.has(seq)) {
            this.requests.push([name, ...args]);
            this.seen.set(seq, this.answers(name, args));
        }
        if (!this.isDelayed.has(name)) {
            this.seen.get(seq).forEach(([reply, ...values]) => this.reply(reply, seq, ...values));
        }
    }

    answers(name, args) {
        const answer = this[`on_${name}`];
        return answer ? answer.call(this, ...args) : [["refused", "unknown_address", name]];
    }

    /** To the port that hello named; a service that was not greeted answers where nobody listens. */
    reply(name, seq, ...values) {
        this.tell(name, this.client, seq, ...values);
    }

    tell(name, ...values) {
        if (!this.isGreeted || this.isLossy("reply", name)) {
            return;
        }
        const message = [1, `/stembridge/${name}`, ...values];
        if (this.isLate(name)) {
            this.late.push(message);
            return;
        }
        [message, ...this.late.splice(0)].forEach((each) => this.max.send(...each));
    }

    on_hello() {
        return [["welcome", "0.1.0", 1, this.epoch, this.last, 10, "hello"]];
    }

    on_subscribe(from = -1, epoch = "") {
        if (from < 0 || epoch !== this.epoch) {
            this.tell("resync", this.epoch, this.last, 0, 1, ...this.rows.flat());
            return [["subscribed", this.epoch, this.last, this.last]];
        }
        return [["subscribed", this.epoch, from, this.last]];
    }

    on_recipes(offset = 0) {
        const names = ["full", "quick", "stems-only", "mine"];
        return [["recipe_list", names.length, offset, names[offset], "title", ""]];  // one to a page
    }

    on_targets() {
        return [["target_list", 2, 0, "streaming", "Streaming", -14, -1, "club", "Club", -9, -1]];
    }

    on_process() {
        this.jobs += 1;
        return [["accepted", `job${this.jobs}`, 1, this.state, "Night Drive"]];
    }

    on_process_newest() {
        return this.on_process();
    }

    on_cancel(job) {
        return [["accepted", job, 0, "CANCELLED", "Night Drive"]];
    }

    on_files(job) {
        return [["file_list", job, 4, 0, this.folder, ...this.stems.map(([title]) => this.fileOf(title))]];
    }

    on_figures(job, offset = 0) {
        const page = this.figures.slice(offset, offset + 7);
        return [["figure_list", job, this.figures.length, offset, ...page.flat()]];
    }

    on_events(from) {
        this.kept.filter((event) => event.number > from).forEach((event) => this.tell(event.name, ...event.values));
        return [["events_told", this.epoch, this.last, this.last, this.last]];
    }

    on_ping() {
        return [["pong", this.epoch, this.last, 1]];
    }

    on_status(job) {
        const { state, share, files, message } = this.ended.get(job) || { state: "SUCCESS", share: 1, files: 4, message: "" };
        return [["job", job, state, "deliver", share, "Night Drive", "full", 1, files, "", message]];
    }

    /** Without a master; with stems, if there were any. */
    failed(job, message, files = 0) {
        this.ended.set(job, { state: "FAILED", share: 0, files, message });
        this.event("failed", job, "InputError", message);
    }

    /** An event, numbered with gaps, as the service does. */
    event(name, job, ...values) {
        const after = this.last;
        this.last += 2;
        this.kept.push({ number: this.last, name, values: [this.last, this.epoch, job, after, ...values] });
        this.tell(name, this.last, this.epoch, job, after, ...values);
    }

    done(job = "job1") {
        this.event("done", job, 4, this.folder, "Night Drive v2");
    }

    /** Ends and begins anew: nothing is known any more but what is on the disk. */
    restart(epoch = "e2") {
        Object.assign(this, { epoch, last: 0, kept: [], isUp: true, isGreeted: false });
    }
}

/** A set with the device on its second track, connected to the service. */
function connected({ live = new FakeLive(), seed = 1, prepare = () => {}, ...service } = {}) {
    if (!live.device) {
        live.track("Song");
        live.deviceOn(live.track("Master bus"));
        live.track("After");
    }
    const max = new FakeMax(live, seed);
    const played = new FakeService(max, service);
    prepare(max, played);
    max.ready();
    return { live, max, service: played };
}

/** As `connected`, with a job that delivered and whose stems are there. */
function delivered(options = {}) {
    const session = connected(options);
    session.service.paths().forEach((path) => session.live.file(path));
    session.max.send(0, "process_newest");
    session.service.done();
    return session;
}

module.exports = { FakeService, connected, delivered, STEMS, FOLDER };
