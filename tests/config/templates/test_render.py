import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promoter.config.templates import render as rendering
from promoter.config.templates import sandbox
from promoter.config.templates.render import is_template, render, render_value
from promoter.config.templates.scope import Handle, Scope, TemplateFault
from promoter.model.release import Source
from promoter.model.secrets import names_in

KNOWN = {
    "port": 18081,
    "level": "debug",
    "hosts": ["a", "b"],
    "db": {"host": "h", "items": 1},
    "flag": True,
    "none_": None,
    "pw": Handle("DB"),
    "cut": "{{ sec",
    "rest": "ret('TOKEN') }}",
    "evil": "{{ secret('TOKEN') }}",
}


def scope(**changed) -> Scope:
    given = {
        "source": lambda: Source(sha="a" * 40, branch="feature/x"),
        "environ": {"HOME": "/root", "EMPTY": "", "E": "{{ secret('TOKEN') }}"},
        "secrets": frozenset({"TOKEN", "DB"}),
        "variables": KNOWN,
        "environment": "dev",
        "release": "0123456789ab" + "c" * 52,
    }
    return Scope(**{**given, **changed})


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("plain", "plain"),
        ("{{ port }}", "18081"),
        ("a{{port}}b{{ level }}c", "a18081bdebugc"),
        ("{{ flag }}", "true"),
        ("{{ db.host }}", "h"),
        ("{{ source.sha }}", "a" * 40),
        ("{{ source.short_sha }}", "a" * 12),
        ("{{ source.dirty }}", "false"),
        ("{{ source.branch | replace('/', '-') }}", "feature-x"),
        ("{{ source.branch.replace('/', '-').upper() }}", "FEATURE-X"),
        ("{{ source.version | default('0') }}", "0"),
        ("{{ environment }} {{ environment.name }}", "dev dev"),
        ("{{ release.short_id }}", "0123456789ab"),
        ("{{ release }}", "0123456789ab" + "c" * 52),
        ("{{ env('HOME') }}{{ env(\"EMPTY\") }}", "/root"),
        ("{{ env('NO', 'x') }}{{ env('NO', '') }}", "x"),
        ("{{ env('NO', port) }}", "18081"),
        ("{{ port + 1 }}", "18082"),
        ("{% if flag %}a{% else %}b{% endif %}", "a"),
        ("{% for h in hosts %}{{ loop.index }}{{ h }};{% endfor %}", "1a;2b;"),
        ("{{ hosts | join(',') }}", "a,b"),
        ("{# nothing #}x", "x"),
        ("a {{- level -}} b", "adebugb"),
        ("{{ level }}\n", "debug\n"),
        ("{{ 2 ** 8 }}", "256"),
        ("{{ 'x' * 3 }}", "xxx"),
        ("{{ level is defined }}", "true"),
    ],
)
def test_a_template_is_filled_in(template, text):
    assert render(template, scope()) == text


@pytest.mark.parametrize(
    ("template", "message", "hint"),
    [
        ("{{ prot }}", "`prot` is not defined", "did you mean `port`?"),
        ("{{ prot | upper }}", "`prot` is not defined", "did you mean `port`?"),
        ("{{ zzz.y }}", "`zzz` is not defined", "declare it under `vars` of the environment"),
        ("{{ db.nope }}", "the value has no part `nope`", None),
        ("{{ source.shaa }}", "source has no `shaa`; it has sha, short_sha, branch, version, dirty", None),
        ("{{ source.version }}", "source.version is unknown: git has none", None),
        ("{{ environment.id }}", "environment has no `id`; it has name", None),
        ("{{ env('NO') }}", "the environment variable NO is not set", "set it, or give a default: env('NO', '…')"),
        ("{{ secret('TOKN') }}", "the secret TOKN is not declared", "did you mean `TOKEN`?"),
        ("{{ secret(port) }}", "secret() takes the name of a declared secret", "write for example secret('TOKEN')"),
        ("{{ hosts }}", "a list cannot be used as text", "take one part of it"),
        ("{{ none_ }}", "null value: expected a string or a number", None),
        ("{{ source }}", "`source` as a whole cannot be used as text", "take one part of it"),
        ("{{ 1 / 0 }}", "this template fails: division by zero", None),
        (
            "{{ port",
            "cannot parse this template: unexpected end of template, expected 'end of print statement'.",
            'write for example "{{ port }}"',
        ),
        ("{% set x = 1 %}", "`set` is not allowed in a template", "use an expression, `if` or `for`"),
        ("{% include 'x' %}", "`include` is not allowed in a template", "use an expression, `if` or `for`"),
    ],
)
def test_a_template_that_cannot_be_rendered_is_reported(template, message, hint):
    with pytest.raises(TemplateFault) as caught:
        render(template, scope())
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_outside_a_checkout_the_source_is_undefined_and_can_have_a_default():
    nowhere = scope(source=Source)
    with pytest.raises(TemplateFault, match="this is not a git checkout"):
        render("{{ source.sha }}", nowhere)
    assert render("{{ source.sha | default('none') }}-{{ source.dirty }}", nowhere) == "none-false"
    assert render("{{ source.version }}", nowhere) == "unversioned"


HOSTILE = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ ''['__class__'] }}",
    "{{ ''|attr('__class__') }}",
    "{{ env.__globals__ }}",
    "{{ env.__self__ }}",
    "{{ secret.__func__.__globals__ }}",
    "{{ self.__init__ }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ lipsum.__globals__ }}",
    "{{ source._get }}",
    "{{ source.explain('sha') }}",
    "{{ source.__dict__ }}",
    "{{ environment._parts }}",
    "{{ pw._name }}",
    "{{ pw.placeholder() }}",
    "{{ namespace() }}",
    "{{ hosts.append('x') }}",
    "{{ hosts.__class__ }}",
    "{{ db.update({'a': 1}) }}",
    "{{ db.__class__ }}",
    "{{ loop }}",
    "{{ ().__class__.__base__ }}",
    "{{ '{0.__class__}'.format(port) }}",
    "{{ '%s' | format(port) }}",
    "{{ port.__class__ }}",
    "{{ (1).real }}",
    "{{ env.__call__('HOME') }}",
    "{% for x in ().__class__.__base__.__subclasses__() %}{{ x }}{% endfor %}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{% import 'os' as os %}",
    # bombs
    "{{ 'a' * 10 ** 9 }}",
    "{{ 10 ** 9 * 'a' }}",
    "{{ [0] * 10 ** 9 }}",
    "{{ 10 ** (10 ** 8) }}",
    "{{ 2 ** 9999 }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ '{:1000000000}'.format(1) }}",
    "{{ 'a'.ljust(1000000000) }}",
    "{{ 'a'.center(1000000000) }}",
    "{{ 'a'.zfill(1000000000) }}",
    "{{ 'a'|center(1000000000) }}",
    "{{ 'a'|indent(1000000000) }}",
    "{{ [1]|batch(1000000000, 0)|list }}",
    "{{ '\\t'.expandtabs(1000000000) }}",
    "{{ range(10 ** 9) | join }}",
    "{% for i in range(10 ** 9) %}x{% endfor %}",
    "{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}",
    "{{ range(9999) | join(range(9999) | join('aaaaaaaaaaaa')) }}",
    "{{ ('a' * 9999).replace('a', 'b' * 9999) }}",
    "{{ ('a' * 9999) | replace('a', 'b' * 9999) }}",
    "{{ ('a' * 9999).join(['b'] * 9999) }}",
    "{{ 1 | round(10 ** 9, 'ceil') }}",
    "{{ lipsum(n=10 ** 7) }}",
    "{{ [1] | tojson(10 ** 9) }}",
    "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "{{ " + "-" * 8000 + "1 }}",
    "x" * 20_000 + "{{ port }}",
    "{% for i in range(9999) %}{{ 'a' * 16000 }}{% endfor %}",
    "{{ 999999999999999999 ** 9 * 999999999999999999 ** 9 * 999999999999999999 ** 9 }}",
    "{{ {'a': 1}.items().__class__ }}",
]


@pytest.mark.parametrize("template", HOSTILE, ids=[t[:40] for t in HOSTILE])
def test_a_hostile_template_gets_a_sentence_and_no_second(template):
    start = time.process_time()
    with pytest.raises(TemplateFault) as caught:
        render(template, scope())
    assert time.process_time() - start < 1
    assert caught.value.message and "0x" not in caught.value.message


@pytest.mark.parametrize(
    "template",
    [
        "{{ secret('TOKEN') }}",
        "a{{ secret('TOKEN') }}b",
        "{{ secret('TOKEN') }}{% if flag %}{% endif %}",
        "{{ secret('TOKEN') if flag else '' }}",
        "{{ secret(level | replace('debug', 'TOKEN')) }}",
    ],
)
def test_a_secret_is_rendered_as_its_handle(template):
    text = render(template, scope())
    assert "{{ secret('TOKEN') }}" in text
    assert names_in(text) == ("TOKEN",)


def test_a_variable_can_be_one_secret():
    value = render_value("{{ secret('DB') }}", scope())
    assert isinstance(value, Handle)
    assert render("x {{ v }} y", scope(variables={"v": value})) == "x {{ secret('DB') }} y"
    with pytest.raises(TemplateFault, match="a variable can be a whole secret"):
        render_value("x {{ secret('DB') }}", scope())


USES = [
    "| upper",
    "| length",
    "| replace('a', 'b')",
    "~ 'x'",
    "+ 'x'",
    "* 2",
    "== 'x'",
    "!= 'x'",
    "< 'x'",
    "| join",
    "| string",
    "| first",
    "% 1",
    "[0]",
    ".name",
    "in 'abc'",
    "and true",
]


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("secret", ["secret('TOKEN')", "pw"])
def test_nothing_else_can_be_done_with_a_secret(use, secret):
    with pytest.raises(TemplateFault):
        render(f"{{{{ {secret} {use} }}}}", scope())


@pytest.mark.parametrize(
    "template",
    [
        "{% if pw %}{% endif %}",
        "{% for x in pw %}{% endfor %}",
        "{{ [pw] }}",
        "{{ [pw] | join }}",
        "{{ {'a': pw} }}",
        "{{ 'a'.replace('a', pw) }}",
        "{{ not pw }}",
        "{{ 'x' if secret('TOKEN') }}",
    ],
)
def test_nor_by_a_detour(template):
    with pytest.raises(TemplateFault):
        render(template, scope())


@pytest.mark.parametrize(
    "template",
    [
        "{{ evil }}",
        "{{ env('E') }}",
        "{{ cut }}{{ rest }}",
        "{{ cut ~ rest }}",
        "{% raw %}{{ secret('TOKEN') }}{% endraw %}",
        "{{ '{{ secret(' }}",
        "{{ source.branch }}",
    ],
)
def test_a_handle_cannot_be_forged(template):
    with pytest.raises(TemplateFault, match="looks like the internal placeholder of a secret"):
        render(template, scope(source=lambda: Source(branch="{{ secret('TOKEN') }}")))


def test_names_that_are_not_available_give_the_reason():
    outside = scope(absent={"port": "not here, because", "secret": "no secrets here"})
    for template, message in (
        ("{{ port }}", "not here, because"),
        ("{{ port + 1 }}", "not here, because"),
        ("{{ secret('TOKEN') }}", "no secrets here"),
        ("{{ secret('TOKEN') }}{# #}", "no secrets here"),
    ):
        with pytest.raises(TemplateFault, match=message):
            render(template, outside)


WORDS = st.sampled_from(
    [
        "port",
        "level",
        "prot",
        "flag",
        "pw",
        "source.sha",
        "source.version",
        "source.nope",
        "environment",
        "environment.name",
        "release.id",
        "env('HOME')",
        "env('NO')",
        "env('NO', 'x')",
        "secret('TOKEN')",
        "secret('NO')",
        "db",
        "none_",
        "evil",
    ]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text("ab {}%#'\n", max_size=5) | WORDS.map(lambda word: f"{{{{ {word} }}}}"), max_size=4).map("".join))
def test_the_quick_renderer_has_the_same_result_as_jinja2(template):
    def answer(fill):
        try:
            return fill(template, scope())
        except TemplateFault as fault:
            return fault.message

    quick = answer(render)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rendering, "_plain_parts", lambda text: None)
        assert quick == answer(render) or not is_template(template)


def test_the_sandbox_has_no_names_of_its_own():
    assert set(sandbox._sandbox().globals) == {"range", "__rounds__"}
