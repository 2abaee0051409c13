# Cancellation as in LSP: the notification $/cancelRequest with the id of the call, which is then answered with -32800 (unless it was done
# already). Over HTTP a call is cancelled by hanging up, and the notification does nothing.

=== a call that waits
@ websocket
--> {"jsonrpc": "2.0", "method": "agent/register", "params": {"name": "conformance", "capabilities": ["conformance"]}, "id": "register"}
<-- {"jsonrpc": "2.0", "result": {"agentId": "<uuid>", "sessionId": "<uuid>", "...": "<any>"}, "id": "register"}
--> {"jsonrpc": "2.0", "method": "task/claim", "params": {"waitMs": 60000}, "id": 1}
--> {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": 1}}
<-- {"jsonrpc": "2.0", "error": {"code": -32800, "message": "<string>"}, "id": 1}
--> {"jsonrpc": "2.0", "method": "agent/deregister", "id": "leave"}
<-- {"jsonrpc": "2.0", "result": {}, "id": "leave"}

=== one of two that wait
@ websocket
--> {"jsonrpc": "2.0", "method": "agent/register", "params": {"name": "conformance", "capabilities": ["conformance"]}, "id": "register"}
<-- {"jsonrpc": "2.0", "result": {"agentId": "<uuid>", "sessionId": "<uuid>", "...": "<any>"}, "id": "register"}
--> {"jsonrpc": "2.0", "method": "task/claim", "params": {"waitMs": 60000}, "id": 1}
--> {"jsonrpc": "2.0", "method": "task/claim", "params": {"waitMs": 60000}, "id": "1"}
--> {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": "1"}}
--> {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": 1}}
<-- {"jsonrpc": "2.0", "error": {"code": -32800, "message": "<string>"}, "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32800, "message": "<string>"}, "id": "1"}
--> {"jsonrpc": "2.0", "method": "agent/deregister", "id": "leave"}
<-- {"jsonrpc": "2.0", "result": {}, "id": "leave"}

=== before the call was begun, in the same batch
@ websocket
--> [{"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": 1}, {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": 1}}]
<-- [{"jsonrpc": "2.0", "error": {"code": -32800, "message": "<string>"}, "id": 1}]

=== in a batch of its own
@ websocket
--> {"jsonrpc": "2.0", "method": "agent/register", "params": {"name": "conformance", "capabilities": ["conformance"]}, "id": "register"}
<-- {"jsonrpc": "2.0", "result": {"agentId": "<uuid>", "sessionId": "<uuid>", "...": "<any>"}, "id": "register"}
--> {"jsonrpc": "2.0", "method": "task/claim", "params": {"waitMs": 60000}, "id": 1}
--> [{"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": 1}}]
<-- {"jsonrpc": "2.0", "error": {"code": -32800, "message": "<string>"}, "id": 1}
--> {"jsonrpc": "2.0", "method": "agent/deregister", "id": "leave"}
<-- {"jsonrpc": "2.0", "result": {}, "id": "leave"}

=== before the call, it cancels nothing
--> {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": 1}}
<-- nothing
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": 1}
<-- {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}

=== after the answer, it cancels nothing
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": 1}
<-- {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}
--> {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": 1}}
<-- nothing

=== of a call that was never made
--> {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": "nobody"}}
<-- nothing

=== without params
--> {"jsonrpc": "2.0", "method": "$/cancelRequest"}
<-- nothing

=== with empty params
--> {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {}}
<-- nothing

=== with params by position
--> {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": [1]}
<-- nothing

=== with the id null
--> {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": null}}
<-- nothing

=== with an id that is none
--> {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": {"id": 1}}}
<-- nothing

=== params that are null make it no request
--> {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": null}
<-- {"jsonrpc": "2.0", "error": {"code": -32600, "message": "<string>"}, "id": null}

=== progress that nobody asked for
--> {"jsonrpc": "2.0", "method": "$/progress", "params": {"token": 1, "value": 1}}
<-- nothing

=== any other notification of the kind is passed over
--> {"jsonrpc": "2.0", "method": "$/whatever"}
<-- nothing

=== as a call there is no such method
--> {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": 1}, "id": 9}
<-- {"jsonrpc": "2.0", "error": {"code": -32601, "message": "<string>"}, "id": 9}
