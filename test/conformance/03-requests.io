# Frames that are JSON and no request: -32600, with the id of the frame where it can be told and null where it cannot (section 5).

=== an empty object
--> {}
<-- {"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": null}

=== a text
--> "coordinator/info"
<-- {"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": null}

=== a number
--> 42
<-- {"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": null}

=== true
--> true
<-- {"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": null}

=== null
--> null
<-- {"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": null}

=== no jsonrpc
--> {"method": "coordinator/info", "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": 1}

=== jsonrpc 1.0
--> {"jsonrpc": "1.0", "method": "coordinator/info", "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": 1}

=== jsonrpc as a number
--> {"jsonrpc": 2.0, "method": "coordinator/info", "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": 1}

=== jsonrpc null
--> {"jsonrpc": null, "method": "coordinator/info", "id": "a"}
<-- {"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": "a"}

=== jsonrpc 2
--> {"jsonrpc": "2", "method": "coordinator/info", "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": 1}

=== names in capitals
--> {"JSONRPC": "2.0", "Method": "coordinator/info", "ID": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": null}

=== no method
--> {"jsonrpc": "2.0", "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": 1}

=== neither method nor id
--> {"jsonrpc": "2.0"}
<-- {"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": null}

=== no method, with params
--> {"jsonrpc": "2.0", "params": {}, "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": 1}

=== a method that is null
--> {"jsonrpc": "2.0", "method": null, "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": 1}

=== a method that is a number
--> {"jsonrpc": "2.0", "method": 1, "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": 1}

=== a method that is an array
--> {"jsonrpc": "2.0", "method": ["coordinator/info"], "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": 1}

=== a method that is an object
--> {"jsonrpc": "2.0", "method": {}, "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": 1}

=== a request without jsonrpc and id is no notification
--> {"method": "coordinator/info"}
<-- {"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": null}

=== a notification whose params are a text
--> {"jsonrpc": "2.0", "method": "coordinator/info", "params": "bar"}
<-- {"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": null}

=== an unknown member of the request is passed over
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": 1, "extra": true}
<-- {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}

=== the method with no name does not exist
--> {"jsonrpc": "2.0", "method": "", "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32601, "message": "<string>"}, "id": 1}

=== a method in another case does not exist
--> {"jsonrpc": "2.0", "method": "LOCK/CHECK", "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32601, "message": "<string>"}, "id": 1}

=== a method with white space around it does not exist
--> {"jsonrpc": "2.0", "method": " lock/check ", "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32601, "message": "<string>"}, "id": 1}

=== an extension that does not exist
--> {"jsonrpc": "2.0", "method": "rpc.unknown", "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32601, "message": "<string>"}, "id": 1}

=== what every object has is no method
--> {"jsonrpc": "2.0", "method": "constructor", "id": 1}
--> {"jsonrpc": "2.0", "method": "__proto__", "id": 2}
--> {"jsonrpc": "2.0", "method": "toString", "id": 3}
<-- {"jsonrpc": "2.0", "error": {"code": -32601, "message": "<string>"}, "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32601, "message": "<string>"}, "id": 2}
<-- {"jsonrpc": "2.0", "error": {"code": -32601, "message": "<string>"}, "id": 3}

=== a method with a name of 100,000 letters
--> {"jsonrpc": "2.0", "method": "%{"m"*100000}", "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32601, "message": "<string>"}, "id": 1}

=== a notification of ours, sent the wrong way round, is a call of a method that does not exist
--> {"jsonrpc": "2.0", "method": "task/revoked", "params": {}, "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32601, "message": "<string>"}, "id": 1}
