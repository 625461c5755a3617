/** All rows of a list that comes in pages; `done(rows, isWhole)` is called once. */
var askPages = (function () {
    "use strict";

    return function (client, command, reply, args, done) {
        var rows = [];
        var offset = 0;

        function ask() {
            client.ask(command, offset ? args.concat(offset) : args, take);
        }

        function take(heard) {
            if (heard === null || heard.name !== reply) {
                done(rows, false);
                return;
            }
            rows = rows.concat(heard.rows);
            offset = heard.values.offset + heard.rows.length;
            if (heard.rows.length && offset < heard.values.total) {
                ask();
            } else {
                done(rows, offset >= heard.values.total);
            }
        }

        ask();
    };
}());
