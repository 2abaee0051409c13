# Batches (section 6): one array of answers in any order, none for notifications; nothing at all where there is no answer in it.

=== a batch of one is answered with an array
--> [{"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": 1}]
<-- [{"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}]

=== each call under its own id
--> [{"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": 1}, {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": "1"}, {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": 2.5}, {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": null}]
<-- [{"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": "1"}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 2.5}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": null}]

=== equal ids in one batch
--> [{"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": 1}, {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": 1}]
<-- [{"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}]

=== a call and a notification
--> [{"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": 1}, {"jsonrpc": "2.0", "method": "foobar"}]
<-- [{"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}]

=== one notification
--> [{"jsonrpc": "2.0", "method": "foobar"}]
<-- nothing

=== notifications with params
--> [{"jsonrpc": "2.0", "method": "foobar", "params": {}}, {"jsonrpc": "2.0", "method": "foobar", "params": [1]}]
<-- nothing

=== successes and failures
--> [{"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": 1}, {"jsonrpc": "2.0", "method": "foobar", "params": {"key": "port:1", "fence": 1}, "id": 2}, {"jsonrpc": "2.0", "method": "lock/check", "params": {}, "id": 3}, {"jsonrpc": "2.0", "method": 1, "id": 4}]
<-- [{"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "error": {"code": -32601, "message": "<string>"}, "id": 2}, {"jsonrpc": "2.0", "error": {"code": -32602, "message": "<string>"}, "id": 3}, {"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": 4}]

=== null in a batch
--> [null]
<-- [{"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": null}]

=== a batch in a batch is no request
--> [[{"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": 1}]]
<-- [{"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": null}]

=== an empty batch in a batch is no request
--> [[]]
<-- [{"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": null}]

=== an empty object in a batch
--> [{}]
<-- [{"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": null}]

=== nonsense beside a call
--> [1, {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": 1}, "x"]
<-- [{"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": null}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": null}]

=== nonsense beside a notification
--> [1, {"jsonrpc": "2.0", "method": "foobar"}]
<-- [{"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": null}]

=== responses nobody asked for
--> [{"jsonrpc": "2.0", "result": 1, "id": 1}, {"jsonrpc": "2.0", "error": {"code": 1, "message": "no"}, "id": 2}]
<-- nothing

=== a response nobody asked for beside a call
--> [{"jsonrpc": "2.0", "result": 1, "id": 1}, {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": 1}]
<-- [{"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}]

=== 50 calls
--> [%{"{\"jsonrpc\": \"2.0\", \"method\": \"lock/check\", \"params\": {\"key\": \"port:1\", \"fence\": 1}, \"id\": 1},"*49}{"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": 1}]
<-- [{"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}]

=== two batches and a call at once
--> [{"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": 1}, {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": 2}]
--> [{"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": 3}]
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": 4}
<-- [{"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}, {"jsonrpc": "2.0", "result": {"valid": false}, "id": 2}]
<-- [{"jsonrpc": "2.0", "result": {"valid": false}, "id": 3}]
<-- {"jsonrpc": "2.0", "result": {"valid": false}, "id": 4}

=== after a bad batch the connection goes on
--> [1]
<-- [{"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": null}]
--> [{"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": 1}]
<-- [{"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}]
