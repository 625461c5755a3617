"use strict";
const { test } = require("node:test");
const assert = require("node:assert/strict");
const { FakeMax } = require("./fake_max.js");

const { Follower, Recap } = new FakeMax().context;
const MOST_EARLY = 1000;

const event = (number, after, epoch = "e") => ({ name: "stage", values: { number, after, epoch } });
const beat = (last) => ({ name: "beat", values: { epoch: "e", last } });
const retold = (upto, told, last) => ({ name: "events_told", values: { epoch: "e", upto, told, last } });

/** A follower that knows everything up to a number, and what it told. */
function following(number = 0) {
    const told = [];
    const follower = new Follower((heard) => told.push(heard.values.number));
    follower.start("e", number);
    return { follower, told };
}

test("what comes early waits for what is missing", () => {
    const { follower, told } = following();
    follower.take(event(5, 3));
    follower.take(event(3, 1));
    assert.deepEqual([told, follower.missed()], [[], 0]);
    follower.take(event(1, 0));
    assert.deepEqual([told, follower.missed()], [[1, 3, 5], null]);
});

test("the event that closes the gap is taken however many wait behind it", () => {
    const { follower, told } = following();
    for (let number = 2; number < MOST_EARLY + 10; number += 1) {
        follower.take(event(number, number - 1));
    }
    assert.equal(Object.keys(follower.early).length, MOST_EARLY);
    follower.take(event(1, 0));
    assert.deepEqual(told, Array.from({ length: MOST_EARLY }, (_, at) => at + 1));
    assert.equal(follower.missed(), MOST_EARLY);
});

for (const [what, told, upto, last, number, missed] of [
    ["nothing was to tell", -1, 9, 9, 9, null],
    ["all came", 4, 9, 9, 9, null],
    ["some were lost", 8, 9, 9, 4, 4],
    ["there is more", 4, 9, 12, 9, 9]
]) {
    test(`what was told again counts if it all came: ${what}`, () => {
        const { follower } = following(4);
        follower.take(retold(upto, told, last));
        assert.deepEqual([follower.number, follower.missed()], [number, missed]);
    });
}

test("what waits is told when the gap before it is known to be empty", () => {
    const { follower, told } = following();
    follower.take(event(5, 4));
    follower.take(retold(4, -1, 4));
    assert.deepEqual([told, follower.missed()], [[5], null]);
});

for (const [what, newer] of [["an event", event(9, 7)], ["a beat", beat(9)]]) {
    test(`an answer that is late hides no gap that ${what} showed`, () => {
        const { follower } = following(4);
        follower.take(newer);
        follower.take(retold(5, -1, 5));
        assert.equal(follower.missed(), 5);
    });
}

test("another epoch is not followed", () => {
    const { follower, told } = following();
    follower.take(event(1, 0, "f"));
    assert.deepEqual([told, follower.missed()], [[], null]);
});

test("a state is told once, when all of its parts are there", () => {
    const recap = new Recap();
    const part = (number, last = 7) => ({ values: { epoch: "e", last, part: number, parts: 2 }, rows: [number] });
    assert.equal(recap.take(part(1)), null);
    assert.equal(recap.take(part(1)), null);
    assert.deepEqual(Array.from(recap.take(part(0))), [0, 1]);
    assert.equal(recap.take(part(0)), null);
    assert.equal(recap.take(part(1, 8)), null, "the next state begins anew");
    assert.deepEqual(Array.from(recap.take(part(0, 8))), [0, 1]);
});
