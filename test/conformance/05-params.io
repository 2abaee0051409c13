# Parameters are an object or an array (section 4.2), by name or by position. Another kind makes the frame no request: -32600. An object or
# an array that does not fit the method is -32602.

=== a text
--> {"jsonrpc": "2.0", "method": "lock/check", "params": "bar", "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": 1}

=== a number
--> {"jsonrpc": "2.0", "method": "lock/check", "params": 1, "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": 1}

=== true
--> {"jsonrpc": "2.0", "method": "lock/check", "params": true, "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": 1}

=== null
--> {"jsonrpc": "2.0", "method": "lock/check", "params": null, "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": 1}

=== by name
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": 1}
<-- {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}

=== by position
--> {"jsonrpc": "2.0", "method": "lock/check", "params": ["port:1", 1], "id": 1}
<-- {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}

=== none where none are needed
--> {"jsonrpc": "2.0", "method": "coordinator/info", "id": 1}
<-- {"jsonrpc": "2.0", "result": {"name": "baton", "...": "<any>"}, "id": 1}

=== an empty object where none are needed
--> {"jsonrpc": "2.0", "method": "coordinator/info", "params": {}, "id": 1}
<-- {"jsonrpc": "2.0", "result": {"name": "baton", "...": "<any>"}, "id": 1}

=== an empty array where none are needed
--> {"jsonrpc": "2.0", "method": "coordinator/info", "params": [], "id": 1}
<-- {"jsonrpc": "2.0", "result": {"name": "baton", "...": "<any>"}, "id": 1}

=== none where some are needed
--> {"jsonrpc": "2.0", "method": "lock/check", "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32602, "message": "<string>"}, "id": 1}

=== an empty object where some are needed
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {}, "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32602, "message": "<string>"}, "id": 1}

=== an empty array where some are needed
--> {"jsonrpc": "2.0", "method": "lock/check", "params": [], "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32602, "message": "<string>"}, "id": 1}

=== one missing by name
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1"}, "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32602, "message": "<string>"}, "id": 1}

=== one missing by position
--> {"jsonrpc": "2.0", "method": "lock/check", "params": ["port:1"], "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32602, "message": "<string>"}, "id": 1}

=== one too many by name
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1, "more": 1}, "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32602, "message": "<string>"}, "id": 1}

=== one too many by position
--> {"jsonrpc": "2.0", "method": "lock/check", "params": ["port:1", 1, 1], "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32602, "message": "<string>"}, "id": 1}

=== in the wrong order
--> {"jsonrpc": "2.0", "method": "lock/check", "params": [1, "port:1"], "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32602, "message": "<string>"}, "id": 1}

=== names in another case
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"KEY": "port:1", "fence": 1}, "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32602, "message": "<string>"}, "id": 1}

=== a value of the wrong kind
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": "1"}, "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32602, "message": "<string>"}, "id": 1}

=== a value that is null
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": null, "fence": 1}, "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32602, "message": "<string>"}, "id": 1}

=== a value out of its range
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 0}, "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32602, "message": "<string>"}, "id": 1}

=== a fraction for a whole number
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1.5}, "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32602, "message": "<string>"}, "id": 1}

=== an array in an array
--> {"jsonrpc": "2.0", "method": "lock/check", "params": [["port:1", 1]], "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32602, "message": "<string>"}, "id": 1}

=== what is wrong is said with its place
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": "1"}, "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32602, "message": "<string>", "data": {"kind": "invalid_params", "retryable": false, "fields": [{"path": "fence", "message": "<string>"}]}}, "id": 1}
