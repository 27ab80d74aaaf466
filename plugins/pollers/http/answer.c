/* answer.c: see answer.h. */
#include "answer.h"

#include "when.h"

static txw_str header(const txw_http_response *r, const char *name)
{
	txw_str want = {name, strlen(name)};
	for (uint32_t i = 0; i < r->n_headers; i++)
		if (str_same(r->headers[i].name, want))
			return r->headers[i].value;
	return (txw_str){NULL, 0};
}

static void answered(const txw_http_response *r, struct text *out)
{
	text_z(out, "answered ");
	text_int(out, r->status);
}

/* Which results an HTTP status stands for; 0 in `to`: only itself. */
static uint32_t result_of(uint32_t status, bool is_one)
{
	static const struct {
		uint32_t from, to, result;
		bool of_one; /* only when one transaction was named */
	} rows[] = {
	    {200, 203, TXW_POLL_SEEN, false},      {404, 404, TXW_POLL_NOT_FOUND, true},
	    {410, 410, TXW_POLL_NOT_FOUND, true},  {429, 429, TXW_POLL_THROTTLED, false},
	    {503, 503, TXW_POLL_THROTTLED, false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (status >= rows[i].from && status <= rows[i].to && (is_one || !rows[i].of_one))
			return rows[i].result;
	return TXW_POLL_FAILED;
}

static json_t *parse(txw_str body, json_error_t *e)
{
	const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY;
	json_t *root = json_loadb(body.ptr ? body.ptr : "", body.len, flags, e);
	/* An integer beyond 64 bits somewhere must not cost the whole answer;
	 * item_text refuses what is not exact. */
	if (!root && json_error_code(e) == json_error_numeric_overflow)
		root = json_loadb(body.ptr, body.len, flags | JSON_DECODE_INT_AS_REAL, e);
	return root;
}

static void not_json(const txw_http_response *r, const json_error_t *e, struct text *out)
{
	txw_str type = header(r, "content-type");
	answered(r, out);
	if (r->body.len == 0) {
		text_z(out, " with nothing");
		return;
	}
	if (json_error_code(e) == json_error_invalid_utf8) {
		text_z(out, " with text that is not UTF-8");
		return;
	}
	text_z(out, " with ");
	if (type.len)
		text_peer(out, type);
	else
		text_z(out, "something");
	text_z(out, ", not JSON (line ");
	text_int(out, e->line);
	text_z(out, ": ");
	text_peer(out, (txw_str){e->text, strlen(e->text)});
	text_z(out, ")");
}

static void no_answer(const txw_http_response *r, struct answer *out)
{
	out->result = TXW_POLL_FAILED;
	if (r->error == TXW_E_FULL) {
		text_z(&out->text, "the answer is larger than body-cap");
		return;
	}
	text_z(&out->text, r->error == TXW_E_TIMEOUT  ? "no answer in time: "
			   : r->error == TXW_E_DENIED ? "the address is refused: "
						      : "no answer: ");
	text_str(&out->text, r->text);
}

void answer_judge(const txw_http_response *r, bool is_one, txw_time now, struct answer *out)
{
	*out = (struct answer){0};
	if (r->error != TXW_OK) {
		no_answer(r, out);
		return;
	}
	out->result = result_of(r->status, is_one);
	if (out->result == TXW_POLL_NOT_FOUND)
		return;
	if (out->result != TXW_POLL_SEEN) {
		answered(r, &out->text);
		out->after = when_retry(header(r, "retry-after"), now);
		return;
	}
	if (r->is_cut) {
		out->result = TXW_POLL_FAILED;
		text_z(&out->text, "the answer is larger than body-cap");
		return;
	}
	json_error_t e;
	out->root = parse(r->body, &e);
	if (out->root)
		return;
	out->result = TXW_POLL_FAILED;
	not_json(r, &e, &out->text);
}

void answer_free(struct answer *a)
{
	json_decref(a->root);
	text_free(&a->text);
}
