"""The answers of HAProxy's runtime socket: texts of HAProxy 2.6 and 3.2."""

import pytest

from promoter.promotion.front_servers import (
    ServerState,
    Traffic,
    end_sessions,
    set_state,
    states,
    traffic,
)

STATES = """\

1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_fqdn srv_port
3 web_80 1 blue-1 10.0.0.2 2 8 1 web-blue 80
3 web_80 2 green-1 10.0.0.3 2 0 1 web-green 80
3 web_80 3 wait 127.0.0.1 2 0 1 - 1
3 web_80 4 blue-2 - 0 32 1 web-2-blue 80

"""
TRAFFIC = """\
# pxname,svname,qcur,qmax,scur,smax,slim,stot,econ,eresp,hrsp_1xx,hrsp_2xx,hrsp_3xx,hrsp_4xx,hrsp_5xx,hrsp_other,-
web_80_in,FRONTEND,,,3,5,100,70,,,0,60,0,0,0,0,-
web_80,blue-1,1,2,3,4,,50,6,7,1,20,3,4,5,0,-
web_80,BACKEND,0,0,3,5,10,70,0,0,0,60,0,0,0,0,-
"""


def test_states_name_address_and_what_was_asked_for() -> None:
    assert states(STATES) == {
        ("web_80", "blue-1"): ServerState("10.0.0.2", 8, "web-blue:80"),
        ("web_80", "green-1"): ServerState("10.0.0.3", 0, "web-green:80"),
        ("web_80", "wait"): ServerState("127.0.0.1", 0, "127.0.0.1:1"),
        ("web_80", "blue-2"): ServerState(None, 32, "web-2-blue:80"),
    }


@pytest.mark.parametrize(
    ("state", "admitted"),
    [
        (ServerState("10.0.0.2", 0), True),
        (ServerState("10.0.0.2", 4), True),  # only its configuration sets maintenance
        (ServerState("10.0.0.2", 8), False),
        (ServerState("10.0.0.2", 1), False),
        (ServerState("10.0.0.2", 32), False),
        (ServerState(None, 0), False),
    ],
)
def test_a_server_is_admitted_with_an_address_and_without_drain_or_maintenance(state: ServerState, admitted: bool) -> None:
    assert state.admitted is admitted


def test_traffic_counts_queue_answers_and_failed_connections() -> None:
    assert traffic(TRAFFIC) == {("web_80", "blue-1"): Traffic(sessions=4, answers=33, total=50, refused=6, errors=18)}


@pytest.mark.parametrize("text", ["", "Unknown command", "2\n# other version\n", "1\n"])
def test_other_answers_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected the states"):
        states(text)
    with pytest.raises(ValueError, match="expected the statistics"):
        traffic(text)


def test_commands_for_several_servers_are_one_line() -> None:
    keys = [("web_80", "blue-1"), ("web_443", "blue-1")]
    assert set_state(keys, "drain") == "set server web_80/blue-1 state drain; set server web_443/blue-1 state drain"
    assert end_sessions(keys[:1]) == "shutdown sessions server web_80/blue-1"
