# Frames that are not JSON (RFC 8259): -32700 with the id null, whatever can be guessed of them.

=== an empty frame
--> 
<-- {"jsonrpc": "2.0", "error": {"code": -32700, "message": "<string>"}, "id": null}

=== nothing but white space
--> %{" "*10}
<-- {"jsonrpc": "2.0", "error": {"code": -32700, "message": "<string>"}, "id": null}

=== a brace
--> {
<-- {"jsonrpc": "2.0", "error": {"code": -32700, "message": "<string>"}, "id": null}

=== a bracket
--> [
<-- {"jsonrpc": "2.0", "error": {"code": -32700, "message": "<string>"}, "id": null}

=== text that is no JSON at all
--> hello
<-- {"jsonrpc": "2.0", "error": {"code": -32700, "message": "<string>"}, "id": null}

=== two values in a frame
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": 1} {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": 2}
<-- {"jsonrpc": "2.0", "error": {"code": -32700, "message": "<string>"}, "id": null}

=== lines of JSON, which are no JSON
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": 1}%{"\n"*1}{"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": 2}
<-- {"jsonrpc": "2.0", "error": {"code": -32700, "message": "<string>"}, "id": null}

=== a comma too many in an object
--> {"jsonrpc": "2.0", "method": "coordinator/info", "id": 1,}
<-- {"jsonrpc": "2.0", "error": {"code": -32700, "message": "<string>"}, "id": null}

=== a comma too many in an array
--> [1,]
<-- {"jsonrpc": "2.0", "error": {"code": -32700, "message": "<string>"}, "id": null}

=== single quotes
--> {'jsonrpc': '2.0', 'method': 'coordinator/info', 'id': 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32700, "message": "<string>"}, "id": null}

=== names without quotes
--> {jsonrpc: "2.0", method: "coordinator/info", id: 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32700, "message": "<string>"}, "id": null}

=== a comment
--> {"jsonrpc": "2.0", "method": "coordinator/info", "id": 1 /* one */}
<-- {"jsonrpc": "2.0", "error": {"code": -32700, "message": "<string>"}, "id": null}

=== NaN
--> {"jsonrpc": "2.0", "method": "coordinator/info", "id": NaN}
<-- {"jsonrpc": "2.0", "error": {"code": -32700, "message": "<string>"}, "id": null}

=== a number with a leading zero
--> {"jsonrpc": "2.0", "method": "coordinator/info", "id": 01}
<-- {"jsonrpc": "2.0", "error": {"code": -32700, "message": "<string>"}, "id": null}

=== undefined
--> undefined
<-- {"jsonrpc": "2.0", "error": {"code": -32700, "message": "<string>"}, "id": null}

=== an unknown escape
--> {"jsonrpc": "2.0", "method": "\x41", "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32700, "message": "<string>"}, "id": null}

=== a tabulator inside a text
--> {"jsonrpc": "2.0", "method": "coordinator%{"\t"*1}info", "id": 1}
<-- {"jsonrpc": "2.0", "error": {"code": -32700, "message": "<string>"}, "id": null}

=== a text that does not end
--> {"jsonrpc": "2.0", "method": "coordinator/info
<-- {"jsonrpc": "2.0", "error": {"code": -32700, "message": "<string>"}, "id": null}

=== a NUL byte inside a text
--> hex 7b 22 61 22 3a 22 00 22 7d
<-- {"jsonrpc": "2.0", "error": {"code": -32700, "message": "<string>"}, "id": null}

=== a byte order mark before JSON
--> hex ef bb bf 7b 7d
<-- {"jsonrpc": "2.0", "error": {"code": -32700, "message": "<string>"}, "id": null}

=== brackets that never close
--> %{"["*200}
<-- {"jsonrpc": "2.0", "error": {"code": -32700, "message": "<string>"}, "id": null}

=== another protocol
--> GET / HTTP/1.1
<-- {"jsonrpc": "2.0", "error": {"code": -32700, "message": "<string>"}, "id": null}

=== white space around a call is nothing to complain of
--> %{" "*3}%{"\r\n\t"*2}{"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": 1}%{" \n"*2}
<-- {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}

=== after a frame that is no JSON the connection goes on
--> {
<-- {"jsonrpc": "2.0", "error": {"code": -32700, "message": "<string>"}, "id": null}
--> {"jsonrpc": "2.0", "method": "lock/check", "params": {"key": "port:1", "fence": 1}, "id": 1}
<-- {"jsonrpc": "2.0", "result": {"valid": false}, "id": 1}
