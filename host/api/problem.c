/* problem.c: see problem.h. */
#include "api/problem.h"

#define PROBLEM_ROW(sym, name, status, title, help) {name, status, title, help},
const struct problem_row PROBLEM_ROWS[PROBLEM_N] = {PROBLEMS(PROBLEM_ROW)};
#undef PROBLEM_ROW

void problem_open(struct buf *out, enum problem p, const char *detail, txw_str request_id)
{
	const struct problem_row *row = &PROBLEM_ROWS[p];
	json_open(out, '{');
	json_key(out, "type");
	buf_printf(out, "\"urn:txwatch:problem:%s\"", row->name);
	json_m_text(out, "title", row->title);
	json_m_int(out, "status", row->status);
	json_m_text(out, "detail", detail && detail[0] ? detail : row->help);
	json_m_str(out, "instance", request_id);
}

enum problem problem_of(int32_t rc)
{
	static const struct {
		int32_t rc;
		enum problem p;
	} rows[] = {
	    {TXW_E_INVALID, PROBLEM_INVALID}, {TXW_E_NOTFOUND, PROBLEM_NOT_FOUND},
	    {TXW_E_EXISTS, PROBLEM_CONFLICT}, {TXW_E_DENIED, PROBLEM_ADDRESS_REFUSED},
	    {TXW_E_BUSY, PROBLEM_BUSY},       {TXW_E_FULL, PROBLEM_FULL},
	    {TXW_E_IO, PROBLEM_STORE},        {TXW_E_CORRUPT, PROBLEM_STORE},
	    {TXW_E_CANCELLED, PROBLEM_STORE}, {TXW_E_TIMEOUT, PROBLEM_STORE},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].rc == rc)
			return rows[i].p;
	}
	return PROBLEM_INTERNAL;
}
