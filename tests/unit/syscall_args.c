#include "sampler/syscall_args.h"

#include "tests/test.h"

static const char connected[] = "   1: 0100007F:BF66 0100007F:1538 01 00000000:00000000 "
				"00:00000000 00000000     0        0 "
				"5733045 1 0000000000000000 20 4 30 10 -1\n";
static const char listening[] = "   0: 0100007F:1538 00000000:0000 0A 00000000:00000000 "
				"00:00000000 00000000     0        0 "
				"5733045 1 0000000000000000 100 0 0 10 0\n";
static const char over_ipv6[] =
	"   0: 00000000000000000000000001000000:1F90 B80D01200000000000000000010000AA:01BB 01 "
	"00000000:00000000 00:00000000 00000000  1000        0 77 1 0000000000000000 20 4 30 10 "
	"-1\n";

TEST(peer_of_a_connected_socket_is_its_remote_address)
{
	char text[64];

	CHECK(net_line_peer(connected, 5733045, text, sizeof(text)));
	CHECK_STR(text, "127.0.0.1:5432");
	CHECK(net_line_peer(over_ipv6, 77, text, sizeof(text)));
	CHECK_STR(text, "[2001:db8::aa00:1]:443");
}

TEST(peer_of_another_or_no_connection_is_unknown)
{
	char text[64];

	CHECK(!net_line_peer(connected, 5733046, text, sizeof(text)));
	CHECK(!net_line_peer(listening, 5733045, text, sizeof(text)));
	CHECK(!net_line_peer("", 0, text, sizeof(text)));
	CHECK(!net_line_peer("  sl  local_address rem_address   st tx_queue", 0, text,
			     sizeof(text)));
	CHECK(!net_line_peer("   1: zz:1 zz:2 01", 1, text, sizeof(text)));
}
