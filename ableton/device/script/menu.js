/* A menu: "automatic" first, then what the service has. The choice is kept by its name. */
var Menu = (function () {
    "use strict";
    var AUTOMATIC = "automatic";

    function Menu(kind, shipped, display) {
        this.kind = kind;
        this.names = [AUTOMATIC].concat(shipped);
        this.chosen = AUTOMATIC;
        this.display = display;
    }

    /** The name as commands take it: "" for automatic. */
    Menu.prototype.value = function () {
        return this.chosen === AUTOMATIC ? "" : this.chosen;
    };

    /** The user chose; kept with the set only where it is new, for that makes an undo step. */
    Menu.prototype.choose = function (index) {
        var name = this.names[index];
        if (name !== undefined && name !== this.chosen) {
            this.chosen = name;
            this.display.note(this.kind, index);
            this.display.put(["keep_" + this.kind, name]);
        }
    };

    /** What was kept with the set; Max may say 0 for nothing. */
    Menu.prototype.restore = function (name) {
        this.chosen = name === "0" ? AUTOMATIC : name || AUTOMATIC;
        this.show();
    };

    /** The service's names. A choice that it has no more stays in sight, and is refused in words. */
    Menu.prototype.fill = function (names) {
        this.names = [AUTOMATIC].concat(names);
        this.show();
    };

    Menu.prototype.show = function () {
        if (this.names.indexOf(this.chosen) < 0) {
            this.names = this.names.concat(this.chosen);
        }
        if (this.display.say.apply(this.display, [this.kind + "s"].concat(this.names))) {
            this.display.forget(this.kind);  // new names may move a menu to its first
        }
        this.display.say(this.kind, this.names.indexOf(this.chosen));
    };

    return Menu;
}());

/* Says what is new, and nothing twice: the display is drawn again for each message. */
var Display = (function () {
    "use strict";

    function Display(put) {
        this.put = put;
        this.said = {};
    }

    /** Whether it was new, and was said. */
    Display.prototype.say = function () {
        var message = Array.prototype.slice.call(arguments);
        var isNew = this.note.apply(this, message);
        if (isNew) {
            this.put(message);
        }
        return isNew;
    };

    /** The next of that kind is new, whatever it is. */
    Display.prototype.forget = function (kind) {
        delete this.said[kind];
    };

    /** What the display shows by itself; whether that is new. */
    Display.prototype.note = function () {
        var text = JSON.stringify(Array.prototype.slice.call(arguments));
        var isNew = this.said[arguments[0]] !== text;
        this.said[arguments[0]] = text;
        return isNew;
    };

    return Display;
}());
