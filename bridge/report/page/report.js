(() => {
  "use strict";
  const Context = window.AudioContext || window.webkitAudioContext;
  if (!Context) return;
  const root = document.documentElement;
  root.classList.add("js");
  const SWITCH_S = 0.012;
  let context = null;
  let last = null;
  const decks = [];

  const bytesOf = (audio) => {
    const text = atob(audio.src.slice(audio.src.indexOf(",") + 1));
    return Uint8Array.from(text, (mark) => mark.charCodeAt(0)).buffer;
  };
  const clock = (seconds) =>
    `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
  const press = (button, on) => button.setAttribute("aria-pressed", String(on));

  // All sources of a deck start together and loop; what is heard is a matter of gains. So a switch keeps the position
  // to the sample, which separate media elements do not.
  class Deck {
    constructor(element) {
      this.element = element;
      this.isOne = element.dataset.deck === "one";
      this.sources = [...element.querySelectorAll("audio[data-source]")].map((audio, index) => ({
        audio,
        index,
        set: audio.dataset.source,
        stem: audio.closest("[data-stem]"),
      }));
      this.seek = element.querySelector("[data-seek]");
      this.time = element.querySelector("[data-time]");
      this.length = Number(this.seek.max);
      this.position = 0;
      this.active = 0;
      this.previous = this.sources.length > 1 ? 1 : 0;
      this.set = this.sources[0].set;
      this.isPlaying = false;
      this.listen();
      this.show();
    }

    listen() {
      const on = (selector, what) =>
        this.element.querySelectorAll(selector).forEach((each) => each.addEventListener("click", () => what(each)));
      on("[data-play]", () => this.toggle());
      on("[data-pick]", (button) => this.pick(Number(button.dataset.pick)));
      on("[data-set]", (button) => this.choose(button.dataset.set));
      on("[data-solo], [data-mute]", (button) => {
        press(button, button.getAttribute("aria-pressed") !== "true");
        this.mix();
      });
      this.seek.addEventListener("input", () => this.go(Number(this.seek.value)));
    }

    async load() {
      if (!context) context = new Context();
      await context.resume();
      if (this.loading) return this.loading;
      this.loading = Promise.all(
        this.sources.map(async (source) => {
          source.gain = context.createGain();
          source.gain.gain.value = 0;
          source.gain.connect(context.destination);
          source.buffer = await context.decodeAudioData(bytesOf(source.audio));
        }),
      );
      return this.loading;
    }

    async play() {
      try {
        await this.load();
      } catch (error) {
        this.element.classList.add("plain");
        return;
      }
      decks.forEach((deck) => deck !== this && deck.stop());
      this.length = Math.min(...this.sources.map((source) => source.buffer.duration));
      this.isPlaying = true;
      last = this;
      this.start();
      this.mix();
      this.element.classList.add("playing");
      this.element.querySelector("[data-play]").setAttribute("aria-label", "Pause");
      this.follow();
    }

    start() {
      const when = context.currentTime + 0.02;
      this.origin = when - this.position;
      this.sources.forEach((source) => {
        source.node = context.createBufferSource();
        source.node.buffer = source.buffer;
        source.node.loop = true;
        source.node.loopEnd = this.length;
        source.node.connect(source.gain);
        source.node.start(when, this.position);
      });
    }

    silence() {
      this.sources.forEach((source) => {
        if (source.node) source.node.stop();
        source.node = null;
      });
    }

    stop() {
      if (!this.isPlaying) return;
      this.position = this.now();
      this.silence();
      this.isPlaying = false;
      this.element.classList.remove("playing");
      this.element.querySelector("[data-play]").setAttribute("aria-label", "Play");
      this.show();
    }

    toggle() {
      return this.isPlaying ? this.stop() : this.play();
    }

    go(seconds) {
      this.position = Math.min(seconds, Math.max(0, this.length - 0.01));
      if (this.isPlaying) {
        this.silence();
        this.start();
      }
      this.show();
    }

    pick(index) {
      if (index >= this.sources.length) return;
      if (index !== this.active) this.previous = this.active;
      this.active = index;
      this.mix();
    }

    choose(set) {
      this.set = set;
      this.mix();
    }

    isHeard(source) {
      if (this.isOne) return source.index === this.active;
      return this.isStemOn(source.stem) && (source.set === this.set || !this.hasSet(source.stem));
    }

    hasSet(stem) {
      return this.sources.some((source) => source.stem === stem && source.set === this.set);
    }

    isStemOn(stem) {
      const pressed = (part, kind) => part.querySelector(`[data-${kind}][aria-pressed=true]`) !== null;
      return pressed(this.element, "solo") ? pressed(stem, "solo") : !pressed(stem, "mute");
    }

    mix() {
      this.sources.forEach((source) => {
        const level = this.isHeard(source) ? 1 : 0;
        if (source.gain) source.gain.gain.setTargetAtTime(level, context.currentTime, SWITCH_S / 3);
      });
      this.element.querySelectorAll("[data-pick]").forEach((each) => press(each, Number(each.dataset.pick) === this.active));
      this.element.querySelectorAll("[data-set]").forEach((each) => press(each, each.dataset.set === this.set));
      this.element.querySelectorAll("[data-layer]").forEach((each) => each.classList.toggle("on", Number(each.dataset.layer) === this.active));
      this.element.querySelectorAll("[data-stem]").forEach((each) => each.classList.toggle("off", !this.isStemOn(each)));
    }

    now() {
      if (!this.isPlaying) return this.position;
      return Math.max(0, context.currentTime - this.origin) % this.length;
    }

    show() {
      const now = this.now();
      this.element.style.setProperty("--at", String(now / this.length));
      this.time.textContent = `${clock(now)} / ${clock(this.length)}`;
      this.seek.value = String(now);
      this.seek.setAttribute("aria-valuetext", `${clock(now)} of ${clock(this.length)}`);
    }

    follow() {
      if (!this.isPlaying) return;
      this.show();
      requestAnimationFrame(() => this.follow());
    }
  }

  document.querySelectorAll("[data-deck]").forEach((element) => {
    if (element.querySelector("audio[data-source]")) decks.push(new Deck(element));
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const versions = decks.find((deck) => deck.isOne);
    const key = event.key.toLowerCase();
    if (versions && key === "x") versions.pick(versions.previous);
    else if (versions && key.length === 1 && key >= "a" && key <= "h") versions.pick(key.charCodeAt(0) - 97);
    else if (key === " " && last && !event.target.closest("button, summary, a, audio")) {
      event.preventDefault();
      last.toggle();
    }
  });

  // Paper cannot be unfolded.
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    folded.forEach((each) => (each.open = true));
  });
  addEventListener("afterprint", () => folded.forEach((each) => (each.open = false)));
})();
