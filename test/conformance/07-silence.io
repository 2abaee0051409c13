# What is never answered: notifications (section 4.1), whatever becomes of them, and responses to calls that were never made.

=== a notification of a method that exists
--> {"jsonrpc": "2.0", "method": "coordinator/info"}
<-- nothing

=== a notification with wrong params
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": 1}}
<-- nothing

=== a notification of a method that does not exist
--> {"jsonrpc": "2.0", "method": "foobar", "params": {"a": 1}}
<-- nothing

=== a notification with params that no handler may see
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "a\u0000", "fence": 1}}
<-- nothing

=== a notification that would fail
--> {"jsonrpc": "2.0", "method": "ticket/get", "params": {"ticketId": "00000000-0000-4000-8000-000000000000"}}
<-- nothing

=== a response with a result
--> {"jsonrpc": "2.0", "result": {}, "id": 1}
<-- nothing

=== a response with the result null
--> {"jsonrpc": "2.0", "result": null, "id": "x"}
<-- nothing

=== a response with an error
--> {"jsonrpc": "2.0", "error": {"code": -32601, "message": "no"}, "id": 1}
<-- nothing

=== a response with an error and the id null
--> {"jsonrpc": "2.0", "error": {"code": -32700, "message": "no"}, "id": null}
<-- nothing

=== a response with an error that is none
--> {"jsonrpc": "2.0", "error": 7, "id": 1}
<-- nothing

=== notifications between calls
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": 1}
--> {"jsonrpc": "2.0", "method": "foobar"}
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": 2}
<-- {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}
<-- {"jsonrpc": "2.0", "result": {"valid": false}, "id": 2}
