from agents.contract.origins import Site, carried_names, same_page, shared_parts, split_http


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


def test_parameters_in_links_to_other_pages_belong_to_the_site_and_a_pages_own_query_does_not() -> None:
    here = "http://h/search?q=owl&v=3&agent=83"
    links = ["/search?q=owl&v=3&page=2", "/", "/items/1?v=3", "#top", "http://[", "mailto:a@b.example?q=1"]
    assert carried_names(here, links) == {"v"}
    assert carried_names(here, links[:2]) == set()
    assert carried_names("http://h/", links) == set()


def test_the_parts_that_all_addresses_with_a_query_have_are_shared() -> None:
    assert shared_parts(["http://h/?v=3&q=a", "http://h/about", "http://h/items?q=b&v=3"]) == ("v=3",)
    assert shared_parts(["about:blank", "http://h/"]) == ()


def test_an_href_with_some_of_the_sites_parameters_is_kept_as_written() -> None:
    site = Site("http://h/", fixed=("v=3", "agent=83"))
    assert site.href("/items/1?v=3") == "/items/1?v=3"
    assert site.href("/items/1?v=4") == "/items/1?v=3&agent=83"
    assert site.absolute("/items/1?v=4") == "http://h/items/1?v=3&agent=83"
