// Drives the door as any program with npm's `osc` would: node stranger.js DOOR_PORT SONG
// Prints one JSON array a message: [address, ...arguments]. Ends after `done`, or after 20 s.
const osc = require(process.env.STEMBRIDGE_NODE_OSC || "osc");

const port = new osc.UDPPort({
    localAddress: "127.0.0.1", localPort: 0, remoteAddress: "127.0.0.1",
    remotePort: Number(process.argv[2]), metadata: true
});
const text = (value) => ({ type: "s", value });
const int = (value) => ({ type: "i", value });
const client = "node-" + process.pid;
let seq = 0;

function say(name, ...args) {
    seq += 1;
    return { address: "/stembridge/" + name, args: [text(client), int(seq), ...args] };
}

port.on("message", (message) => {
    console.log(JSON.stringify([message.address, ...message.args.map((arg) => arg.value)]));
    if (message.address === "/stembridge/subscribed") {
        port.send(say("process", text(process.argv[3]), text("quick")));
    }
    if (message.address === "/stembridge/done") {
        port.send(say("files", message.args[2]));
    }
    if (message.address === "/stembridge/file_list") {
        port.close();
        process.exit(0);
    }
});
port.on("ready", () => {
    port.send({
        timeTag: osc.timeTag(0),
        packets: [say("hello", { type: "d", value: 0 }), say("subscribe")]
    });
});
port.on("error", (error) => console.log(JSON.stringify(["error", String(error)])));
port.open();
setTimeout(() => process.exit(1), 20000);
