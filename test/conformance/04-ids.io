# The id comes back as it was sent (section 4): a text, a number or null. Anything else is no id, and the answer has null.

=== a text
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": "a"}
<-- {"jsonrpc": "2.0", "result": {"valid": false}, "id": "a"}

=== an empty text
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": ""}
<-- {"jsonrpc": "2.0", "result": {"valid": false}, "id": ""}

=== a text of 10,000 letters
--> {"jsonrpc": "2.0", "method": "lock/check", "params": ["port:1", 1], "id": "%{"i"*10000}"}
<-- {"jsonrpc": "2.0", "result": {"valid": false}, "id": "<string>"}

=== a text in another script
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": "\u017elu\u0165ou\u010dk\u00fd \ud83d\udc0e"}
<-- {"jsonrpc": "2.0", "result": {"valid": false}, "id": "\u017elu\u0165ou\u010dk\u00fd \ud83d\udc0e"}

=== the names of members
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": "__proto__"}
<-- {"jsonrpc": "2.0", "result": {"valid": false}, "id": "__proto__"}

=== zero
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": 0}
<-- {"jsonrpc": "2.0", "result": {"valid": false}, "id": 0}

=== a negative number
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": -7}
<-- {"jsonrpc": "2.0", "result": {"valid": false}, "id": -7}

=== a fraction
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": 1.5}
<-- {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1.5}

=== the largest whole number that is exact
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": 9007199254740991}
<-- {"jsonrpc": "2.0", "result": {"valid": false}, "id": 9007199254740991}

=== null is an id, not a notification
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": null}
<-- {"jsonrpc": "2.0", "result": {"valid": false}, "id": null}

=== 1 and "1" at once
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": 1}
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": "1"}
<-- {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}
<-- {"jsonrpc": "2.0", "result": {"valid": false}, "id": "1"}

=== the same id in three calls at once
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": 7}
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": 7}
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": 7}
<-- {"jsonrpc": "2.0", "result": {"valid": false}, "id": 7}
<-- {"jsonrpc": "2.0", "result": {"valid": false}, "id": 7}
<-- {"jsonrpc": "2.0", "result": {"valid": false}, "id": 7}

=== the same id in a call that succeeds and one that does not
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": 7}
--> {"jsonrpc": "2.0", "method": "foobar", "params": {"key": "port:1", "fence": 1}, "id": 7}
<-- {"jsonrpc": "2.0", "result": {"valid": false}, "id": 7}
<-- {"jsonrpc": "2.0", "error": {"code": -32601, "message": "<string>"}, "id": 7}

=== null twice at once
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": null}
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": null}
<-- {"jsonrpc": "2.0", "result": {"valid": false}, "id": null}
<-- {"jsonrpc": "2.0", "result": {"valid": false}, "id": null}

=== true
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": true}
<-- {"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": null}

=== false
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": false}
<-- {"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": null}

=== an object
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": {}}
<-- {"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": null}

=== an object with an id in it
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": {"id": 1}}
<-- {"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": null}

=== an array
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": [1]}
<-- {"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": null}

=== a number beyond all numbers
--> {"jsonrpc": "2.0", "method": "lock/check", "params": ["port:1", 1], "id": 1e400}
<-- {"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": null}

=== a whole number that cannot be given back exactly
# It would come back as 9007199254740992, and its caller would wait for ever.
--> {"jsonrpc": "2.0", "method": "lock/check", "params": ["port:1", 1], "id": 9007199254740993}
<-- {"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": null}
