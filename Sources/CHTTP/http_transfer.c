// libcurl's multi interface, driven until there is something to hand out. Every error is a status.
#if !defined(__APPLE__)
#define _GNU_SOURCE
#endif
#include "http_transfer.h"

#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LARGEST_HEAD = 1 << 18, LONGEST_POLL_MS = 1000 };

typedef struct {
    char *bytes;
    size_t count;
    size_t capacity;
} buffer;

struct ht_client {
    CURLM *multi;
    CURL *easy;  // the request under way, or NULL
    struct curl_slist *fields;
    buffer head;
    buffer body;
    bool has_head;
    bool is_given;  // the body's bytes were handed out
    bool is_finished;
    bool is_too_long;  // the head
    CURLcode result;
    char message[CURL_ERROR_SIZE];
    int error_number;
    long proxy_code;
    atomic_bool is_cancelled;
};

// MARK: Memory

static bool append(buffer *to, const char *bytes, size_t count) {
    if (count > to->capacity - to->count) {
        size_t capacity = to->capacity > 0 ? to->capacity : 1 << 14;
        while (capacity < to->count + count) capacity *= 2;
        char *larger = realloc(to->bytes, capacity);
        if (!larger) return false;
        to->bytes = larger;
        to->capacity = capacity;
    }
    memcpy(to->bytes + to->count, bytes, count);
    to->count += count;
    return true;
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool has_started;

static void start(void) { has_started = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK; }

ht_client *ht_create(void) {
    pthread_once(&once, start);
    ht_client *client = has_started ? calloc(1, sizeof *client) : NULL;
    if (!client) return NULL;
    atomic_init(&client->is_cancelled, false);
    client->multi = curl_multi_init();
    if (client->multi) return client;
    free(client);
    return NULL;
}

static void end_request(ht_client *client) {
    if (!client->easy) return;
    curl_multi_remove_handle(client->multi, client->easy);
    curl_easy_cleanup(client->easy);
    client->easy = NULL;
}

void ht_destroy(ht_client *client) {
    if (!client) return;
    end_request(client);
    curl_multi_cleanup(client->multi);
    curl_slist_free_all(client->fields);
    free(client->head.bytes);
    free(client->body.bytes);
    free(client);
}

// MARK: What arrives

static size_t take_head(char *bytes, size_t size, size_t count, void *context) {
    ht_client *client = context;
    count *= size;
    if (client->has_head) return count;  // what follows a body in pieces
    // The answer of a proxy, or a provisional one, came before.
    if (count >= 5 && memcmp(bytes, "HTTP/", 5) == 0) client->head.count = 0;
    client->is_too_long = count > LARGEST_HEAD - client->head.count;
    if (client->is_too_long || !append(&client->head, bytes, count)) return 0;
    long code = 0;
    bool is_last = bytes[0] == '\r' || bytes[0] == '\n';
    if (is_last) curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &code);
    client->has_head = is_last && code >= 200;
    return count;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *context) {
    ht_client *client = context;
    return append(&client->body, bytes, count * size) ? count * size : 0;
}

// MARK: Requests

bool ht_add_field(ht_client *client, const char *field) {
    struct curl_slist *longer = curl_slist_append(client->fields, field);
    if (longer) client->fields = longer;
    return longer != NULL;
}

static bool configure(ht_client *client, const ht_request *request) {
    CURL *easy = client->easy;
    bool is_set = true;
#define SET(option, value) is_set = curl_easy_setopt(easy, option, value) == CURLE_OK && is_set
    SET(CURLOPT_ERRORBUFFER, client->message);
    SET(CURLOPT_URL, request->url);
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    SET(CURLOPT_NOBODY, request->is_head ? 1L : 0L);
    SET(CURLOPT_HTTPHEADER, client->fields);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_HTTP_CONTENT_DECODING, 0L);
#if LIBCURL_VERSION_NUM >= 0x075500
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
#else
    SET(CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    // An empty text is no proxy, whatever the environment says.
    SET(CURLOPT_PROXY, request->proxy ? request->proxy : "");
    SET(CURLOPT_NOPROXY, request->no_proxy ? request->no_proxy : "");
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    // The fields, the token among them, are for the server, not for the proxy on the way to it.
    SET(CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)request->answer_ms);
    SET(CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
    // A name that nobody answers for must not hold up a request that was cancelled or timed out.
    SET(CURLOPT_QUICK_EXIT, 1L);
#endif
    SET(CURLOPT_HEADERFUNCTION, take_head);
    SET(CURLOPT_HEADERDATA, client);
    SET(CURLOPT_WRITEFUNCTION, take_body);
    SET(CURLOPT_WRITEDATA, client);
#undef SET
    return is_set;
}

static int64_t now_ms(void) {
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// Lets libcurl send and receive what it can at once.
//
// TLS may write to a connection that is gone; the signal of that would end the process, so it is kept from this thread.
static void perform(ht_client *client) {
#if defined(__linux__)
    sigset_t pipes, before, pending;
    sigemptyset(&pipes);
    sigaddset(&pipes, SIGPIPE);
    sigpending(&pending);
    bool was_pending = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipes, &before);
#endif
    int running = 0;
    CURLMcode status = curl_multi_perform(client->multi, &running);
#if defined(__linux__)
    struct timespec none = {0};
    if (!was_pending) sigtimedwait(&pipes, NULL, &none);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
#endif
    if (status != CURLM_OK) {
        client->is_finished = true;
        client->result = CURLE_OUT_OF_MEMORY;
        return;
    }
    int rest = 0;
    for (CURLMsg *message; (message = curl_multi_info_read(client->multi, &rest));) {
        if (message->msg != CURLMSG_DONE || message->easy_handle != client->easy) continue;
        client->is_finished = true;
        client->result = message->data.result;
    }
}

// What the request's result means.
static ht_status failure(ht_client *client) {
    long number = 0, proxy_code = 0;
    curl_easy_getinfo(client->easy, CURLINFO_OS_ERRNO, &number);
    curl_easy_getinfo(client->easy, CURLINFO_HTTP_CONNECTCODE, &proxy_code);
    client->error_number = (int)number;
    client->proxy_code = proxy_code;
    if (client->is_too_long) return HT_NOT_HTTP;
    if (proxy_code >= 300) return HT_PROXY_REFUSED;
    switch (client->result) {
        case CURLE_COULDNT_RESOLVE_HOST: return HT_NO_HOST;
        case CURLE_COULDNT_RESOLVE_PROXY: return HT_NO_PROXY;
        case CURLE_COULDNT_CONNECT: return HT_NOT_CONNECTED;
        case CURLE_OPERATION_TIMEDOUT: return HT_CONNECT_TIMEOUT;
        case CURLE_PARTIAL_FILE:
        case CURLE_GOT_NOTHING:
        case CURLE_SEND_ERROR:
        case CURLE_RECV_ERROR: return HT_BROKEN_OFF;
        case CURLE_UNSUPPORTED_PROTOCOL:
        case CURLE_WEIRD_SERVER_REPLY: return HT_NOT_HTTP;
        case CURLE_URL_MALFORMAT:
        case CURLE_LOGIN_DENIED: return HT_BAD_ADDRESS;
        case CURLE_PEER_FAILED_VERIFICATION: return HT_UNTRUSTED;
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_SSL_CIPHER:
        case CURLE_SSL_CACERT_BADFILE: return HT_NOT_SECURE;
        default: return HT_FAILED;
    }
}

// Works on the request until the head is whole, or the body has bytes, or it ended, or nothing came for too long.
static ht_status advance(ht_client *client, bool wants_head, int64_t limit_ms) {
    int64_t began = now_ms();
    for (;;) {
        if (atomic_load(&client->is_cancelled)) return HT_CANCELLED;
        if (!client->is_finished) perform(client);
        if (wants_head ? client->has_head : client->body.count > 0) return HT_OK;
        if (client->is_finished) {
            if (client->result != CURLE_OK) return failure(client);
            return wants_head ? HT_NOT_HTTP : HT_END;
        }
        int64_t rest = limit_ms - (now_ms() - began);
        if (rest <= 0) {
            curl_off_t connected = 0;
            curl_easy_getinfo(client->easy, CURLINFO_PRETRANSFER_TIME_T, &connected);
            if (!wants_head) return HT_SILENCE;
            return connected > 0 ? HT_ANSWER_TIMEOUT : HT_CONNECT_TIMEOUT;
        }
        int wait = rest < LONGEST_POLL_MS ? (int)rest : LONGEST_POLL_MS;
        if (curl_multi_poll(client->multi, NULL, 0, wait, NULL) != CURLM_OK) return HT_FAILED;
    }
}

ht_status ht_begin(ht_client *client, const ht_request *request) {
    end_request(client);
    client->head.count = client->body.count = 0;
    client->has_head = client->is_given = client->is_finished = client->is_too_long = false;
    client->result = CURLE_OK;
    client->message[0] = 0;
    client->error_number = 0;
    client->proxy_code = 0;
    struct curl_slist *fields = client->fields;
    client->easy = curl_easy_init();
    bool is_ready =
        client->easy && configure(client, request) && curl_multi_add_handle(client->multi, client->easy) == CURLM_OK;
    ht_status status = is_ready ? advance(client, true, request->answer_ms) : HT_FAILED;
    // They were sent with the head of the request.
    if (client->easy) curl_easy_setopt(client->easy, CURLOPT_HTTPHEADER, NULL);
    client->fields = NULL;
    curl_slist_free_all(fields);
    return status;
}

ht_status ht_read(ht_client *client, int64_t silence_ms, const uint8_t **bytes, size_t *count) {
    *bytes = NULL;
    *count = 0;
    if (!client->easy) return HT_BROKEN_OFF;
    if (client->is_given) client->body.count = 0;
    ht_status status = advance(client, false, silence_ms);
    client->is_given = status == HT_OK;
    if (status != HT_OK) return status;
    *bytes = (const uint8_t *)client->body.bytes;
    *count = client->body.count;
    return HT_OK;
}

void ht_cancel(ht_client *client) {
    atomic_store(&client->is_cancelled, true);
    curl_multi_wakeup(client->multi);
}

// MARK: What to tell

long ht_code(const ht_client *client) {
    long code = 0;
    if (client->easy) curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &code);
    return code;
}

const char *ht_head(const ht_client *client, size_t *count) {
    *count = client->head.count;
    return client->head.bytes ? client->head.bytes : "";
}

int ht_error_number(const ht_client *client) { return client->error_number; }
long ht_proxy_code(const ht_client *client) { return client->proxy_code; }

const char *ht_message(const ht_client *client) {
    return client->message[0] ? client->message : curl_easy_strerror(client->result);
}
