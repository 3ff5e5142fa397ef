from agents.contract.origins import Site, same_page, split_http


def test_only_an_absolute_http_url_with_a_host_and_a_readable_port_is_split() -> None:
    assert split_http("http://localhost:8000/a") is not None
    assert split_http("HTTPS://Example.org") is not None
    for url in ("", "/a", "http://", "http:///a", "ftp://host/", "about:blank", "http://host:port/", "http://host:99999/", "http://[::1/"):
        assert split_http(url) is None, url


def test_the_default_port_is_the_port_of_the_scheme() -> None:
    assert Site("http://shop.example/").absolute("http://shop.example:80/a") == "http://shop.example/a"
    assert Site("http://shop.example/").absolute("https://shop.example/a") is None
    assert Site("https://shop.example/").absolute("https://shop.example:443/a") == "https://shop.example/a"


def test_parts_of_a_query_stay_as_they_are_written() -> None:
    assert Site("http://h/", fixed=("seed=1",)).absolute("/a?q=%20x+y&user=<username>") == "http://h/a?q=%20x+y&user=<username>&seed=1"


def test_two_urls_are_one_page_whatever_their_order_and_fragment() -> None:
    assert same_page("http://h?a=1&b=2", "http://h/?b=2&a=1#x")
    assert not same_page("http://h/?a=1", "http://h/?a=2")
    assert not same_page("http://h/a", "http://h/b")
