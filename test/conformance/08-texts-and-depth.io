# What Baton refuses beside what the specification asks for: names that reach into prototypes, text that PostgreSQL cannot store, depth, and
# frames that are no text. What is refused is refused before any handler sees it.

=== __proto__ in the params
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1, "__proto__": {"admin": true}}, "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32602, "message": "<string>"}, "id": 1}

=== __proto__ deep in the params
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": {"a": [{"__proto__": 1}]}, "fence": 1}, "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32602, "message": "<string>"}, "id": 1}

=== constructor and prototype in the params
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"constructor": {"prototype": {"a": 1}}}, "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32602, "message": "<string>"}, "id": 1}

=== __proto__ in the message itself is a member like any other
--> {"jsonrpc": "2.0", "method": "lock/check", "params": ["port:1", 1], "id": 1, "__proto__": {"id": 2}}
<-- {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}

=== a message that has its members from __proto__ only
--> {"__proto__": {"jsonrpc": "2.0", "method": "lock/check", "id": 1}}
<-- {"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": null}

=== U+0000 in a value
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:\u0000", "fence": 1}, "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32602, "message": "<string>"}, "id": 1}

=== U+0000 in a name
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key\u0000": "port:1", "fence": 1}, "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32602, "message": "<string>"}, "id": 1}

=== U+0000 in the method
--> {"jsonrpc": "2.0", "method": "lock/check\u0000", "params": {}, "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32601, "message": "<string>"}, "id": 1}

=== the first half of a surrogate pair
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:\ud83d", "fence": 1}, "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32602, "message": "<string>"}, "id": 1}

=== the second half of a surrogate pair
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:\ude00", "fence": 1}, "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32602, "message": "<string>"}, "id": 1}

=== a whole surrogate pair is a character
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:\ud83d\ude00", "fence": 1}, "id": 1}
<-- {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}

=== half of a surrogate pair in the id comes back
--> {"jsonrpc": "2.0", "method": "lock/check", "params": ["port:1", 1], "id": "\ud83d"}
<-- {"jsonrpc": "2.0", "result": {"valid": false}, "id": "\ud83d"}

=== a number beyond all numbers
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1e999}, "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32602, "message": "<string>"}, "id": 1}

=== a whole number beyond 2^53
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 9007199254740993}, "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32602, "message": "<string>"}, "id": 1}

=== 31 levels below the message are allowed
--> {"jsonrpc": "2.0", "method": "lock/check", "params": %{"["*31}%{"]"*31}, "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32602, "message": "<string>"}, "id": 1}

=== 32 are too deep
--> {"jsonrpc": "2.0", "method": "lock/check", "params": %{"["*32}%{"]"*32}, "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": 1}

=== a depth of 10,000
# Not even parsed, so that it cannot be told whose it is.
--> {"jsonrpc": "2.0", "method": "lock/check", "params": %{"["*10000}%{"]"*10000}, "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": null}

=== a depth of 10,000 that never closes
--> %{"["*10000}
<-- {"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": null}

=== a depth of 10,000 in objects
--> {"jsonrpc": "2.0", "method": "lock/check", "params": %{"{\"a\":"*10000}1%{"}"*10000}, "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": null}

=== brackets in a text are not depth
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:%{"["*400}", "fence": 1}, "id": 1}
<-- {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}

=== a batch of 51
--> [%{"1,"*50}1]
<-- {"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": null}

=== a batch of 100,000
--> [%{"1,"*99999}1]
<-- {"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": null}

=== a member of a million letters
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:%{"k"*1000000}", "fence": 1}, "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32602, "message": "<string>"}, "id": 1}

=== 100,000 members
--> {"jsonrpc": "2.0", "method": "lock/check", "params": [%{"0,"*99999}0], "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32602, "message": "<string>"}, "id": 1}

=== a binary frame
@ websocket
--> binary 7b 7d
<-- close 1003

=== a binary frame that holds a call
@ websocket
--> binary 7b 22 6a 73 6f 6e 72 70 63 22 3a 22 32 2e 30 22 2c 22 6d 65 74 68 6f 64 22 3a 22 63 6f 6f 72 64 69 6e 61 74 6f 72 2f 69 6e 66 6f 22 2c 22 69 64 22 3a 31 7d
<-- close 1003

=== an empty text frame
@ websocket
--> 
<-- {"jsonrpc": "2.0", "error": {"code": -32700, "message": "<string>"}, "id": null}

=== bytes that are no UTF-8 end a WebSocket (RFC 6455)
@ websocket
--> hex 7b 22 61 22 3a 22 ff fe 22 7d
<-- close 1007

=== bytes that are no UTF-8 are no JSON
@ http
--> hex 7b 22 61 22 3a 22 ff fe 22 7d
<-- {"jsonrpc": "2.0", "error": {"code": -32700, "message": "<string>"}, "id": null}

=== an overlong encoding is no UTF-8
@ http
--> hex 22 c0 af 22
<-- {"jsonrpc": "2.0", "error": {"code": -32700, "message": "<string>"}, "id": null}

=== UTF-8 that ends in the middle of a character
@ http
--> hex 22 e2 82
<-- {"jsonrpc": "2.0", "error": {"code": -32700, "message": "<string>"}, "id": null}

=== half of a surrogate pair in UTF-8 is no UTF-8
@ http
--> hex 22 ed a0 80 22
<-- {"jsonrpc": "2.0", "error": {"code": -32700, "message": "<string>"}, "id": null}

=== UTF-16 is no UTF-8
@ http
--> hex ff fe 7b 00 7d 00
<-- {"jsonrpc": "2.0", "error": {"code": -32700, "message": "<string>"}, "id": null}
