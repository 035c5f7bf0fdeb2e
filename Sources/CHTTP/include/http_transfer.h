// HTTP requests by the system's libcurl, one at a time, plain C11.
//
// A client is used by one thread at a time; only ht_cancel() may be called from any thread at any time. Nothing is
// followed, decoded, stored or read from the environment here: redirects, proxies and tokens are the caller's.
#ifndef SWIFT_DEIT_HTTP_TRANSFER_H
#define SWIFT_DEIT_HTTP_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ht_client ht_client;

typedef enum {
    HT_OK,               // the head, or a piece of the body, is there
    HT_END,              // the body is complete
    HT_CANCELLED,        // ht_cancel() was called
    HT_CONNECT_TIMEOUT,  // no connection in the time given
    HT_ANSWER_TIMEOUT,   // a connection, but no head in the time given
    HT_SILENCE,          // nothing of the body in the time given
    HT_NO_HOST,          // the host's name was not found
    HT_NO_PROXY,         // the proxy's name was not found
    HT_PROXY_REFUSED,    // the proxy makes no connection; ht_proxy_code() is its answer
    HT_NOT_CONNECTED,    // ht_error_number() tells why, where it is not 0
    HT_BROKEN_OFF,       // the connection ended before the answer did
    HT_NOT_HTTP,         // what came is no HTTP
    HT_UNTRUSTED,        // the certificate is not one that this system trusts for this host
    HT_NOT_SECURE,       // no TLS connection; ht_message() tells why
    HT_BAD_ADDRESS,      // not an address of http or https, or one with a user's name
    HT_FAILED            // anything else; ht_message() tells what
} ht_status;

typedef struct {
    const char *url;       // percent-encoded; sent as it is
    bool is_head;          // HEAD instead of GET
    const char *proxy;     // the proxy's address, NULL for none
    const char *no_proxy;  // the hosts that need none, as in the variable no_proxy
    int64_t answer_ms;     // how long to wait for a connection and the head
} ht_request;

// A client, or NULL when libcurl cannot be started. Connections are kept between its requests.
ht_client *ht_create(void);
void ht_destroy(ht_client *client);

// Adds "Name: value" to the fields of the next request; false when memory ran out.
bool ht_add_field(ht_client *client, const char *field);

// Ends the request before, starts this one with the fields added, and waits for its head.
ht_status ht_begin(ht_client *client, const ht_request *request);

// The status code of the answer, and its head: the status line and the fields, each with its line break.
long ht_code(const ht_client *client);
const char *ht_head(const ht_client *client, size_t *count);

// Waits for the next bytes of the body. They are valid until the next call. With HT_OK there is at least one.
//
// A server that is faster than the caller waits: nothing is received between two calls, and one call receives a few
// megabytes at most.
ht_status ht_read(ht_client *client, int64_t silence_ms, const uint8_t **bytes, size_t *count);

// Makes the call under way, and all later ones, end with HT_CANCELLED.
void ht_cancel(ht_client *client);

// About the last failure. The message is never NULL.
int ht_error_number(const ht_client *client);
long ht_proxy_code(const ht_client *client);
const char *ht_message(const ht_client *client);

#ifdef __cplusplus
}
#endif

#endif
