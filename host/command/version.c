/* version.c: `txwatch version`: ours, the ABI's, and the libraries' as they
 * are at run time, which is what a bug report needs. */
#include <confuse.h>
#include <curl/curl.h>
#include <jansson.h>
#include <microhttpd.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <uv.h>

#include "command/args.h"
#include "txwatch/abi.h"

static const char *curl_number(void)
{
	return curl_version_info(CURLVERSION_NOW)->version;
}

static const char *crypto_number(void)
{
	return OpenSSL_version(OPENSSL_VERSION_STRING);
}

static const char *confuse_number(void)
{
	return confuse_version;
}

static const struct {
	const char *name;
	const char *(*version)(void);
} LIBRARIES[] = {
    {"libconfuse", confuse_number},     {"libcurl", curl_number},
    {"libmicrohttpd", MHD_get_version}, {"libuv", uv_version_string},
    {"jansson", jansson_version_str},   {"OpenSSL", crypto_number},
};

int command_version(const struct args *a)
{
	(void)a;
	printf("txwatch %s\nplugin ABI %u.%u\n", TXW_VERSION, TXW_ABI_MAJOR, TXW_ABI_MINOR);
	for (size_t i = 0; i < sizeof(LIBRARIES) / sizeof(LIBRARIES[0]); i++)
		printf("%s %s\n", LIBRARIES[i].name, LIBRARIES[i].version());
	return 0;
}
