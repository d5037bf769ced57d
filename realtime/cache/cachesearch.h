// The full-text index of a cache file, brought up to date a little at a time. The cache's thread.
#pragma once

#include "realtime/cache/cachehit.h"
#include "realtime/cache/sqlfile.h"

namespace foundry::realtime {

class CacheSearch {
public:
    explicit CacheSearch(SqlFile &file)
        : m_file(file)
    {
    }

    // Indexes up to `count` of what has changed. False: nothing is left. Its own transaction.
    bool indexSome(int count);
    // Every word has to begin something in the title or the text. `stop` true ends it: cut, with what there is.
    CacheHits find(const QString &text, int limit, const std::function<bool()> &stop);

    // "re" "fact" → "re"* "fact"*; empty when there is nothing to look for.
    static QString matchOf(const QString &text);

private:
    struct Text {
        QString title;
        QString body;
    };

    std::optional<Text> textOf(qint64 document);
    void addHits(CacheHits &hits, qint64 document, const QString &snippet, const QStringList &words, int limit);

    SqlFile &m_file;
};

} // namespace foundry::realtime
