"""The cache of documents, between commits."""

from pieces_orm.server.domain.document_cache import DocumentCache


def test_a_read_that_a_commit_overtook_is_not_cached():
    cache = DocumentCache()

    def overtaken():
        cache.clear()
        return "old"

    assert cache.get("key", overtaken) == "old"
    assert cache.get("key", lambda: "new") == "new"
    assert cache.get("key", lambda: "not asked") == "new"
