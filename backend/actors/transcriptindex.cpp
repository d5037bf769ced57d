#include "backend/actors/transcriptindex.h"

#include "backend/store/database.h"

namespace foundry::backend {

namespace {

constexpr qint64 indexTextLimit = 32 * 1024; // characters of one entry
constexpr qint64 indexHitLimit = 100;
constexpr qsizetype indexWordLimit = 16;
constexpr qsizetype indexPrefixFrom = 3; // characters: what begins with fewer is too much to look through
constexpr int indexEntryBits = 40;

// A document's number names its session, its entry and which look at it this is.
qint64 indexDocument(qint64 session, qint64 entry, TranscriptIndex::Stage stage)
{
    return (session << (indexEntryBits + 1)) | (entry << 1) | (stage == TranscriptIndex::Stage::Final ? 1 : 0);
}

QString indexText(const TranscriptEntry &entry)
{
    QStringList parts;
    if (!entry.text.isEmpty())
        parts.append(entry.text);
    for (const Attachment &attachment : entry.attachments)
        parts.append(attachment.name);
    if (entry.tool) {
        parts.append(entry.tool->title);
        for (const ToolLocation &location : entry.tool->locations)
            parts.append(location.path);
        if (entry.tool->rawInput)
            parts.append(entry.tool->rawInput->shown());
        for (const ToolContent &content : entry.tool->content) {
            if (const auto *text = std::get_if<ToolText>(&content))
                parts.append(text->text.shown());
            else if (const auto *diff = std::get_if<ToolDiff>(&content))
                parts.append(diff->path + QLatin1Char('\n') + diff->newText.shown());
        }
    }
    for (const PlanEntry &step : entry.plan)
        parts.append(step.content);
    if (entry.permission)
        parts.append(entry.permission->title);
    if (entry.question)
        parts.append(entry.question->message);
    return parts.join(QLatin1Char('\n')).left(indexTextLimit);
}

// As the index compares: without case and accents, character for character.
QString indexFolded(const QString &text)
{
    QString folded = text;
    for (QChar &c : folded) {
        if (c.unicode() < 0x80) {
            c = c.toLower();
            continue;
        }
        const QString parts = c.decomposition();
        if (!parts.isEmpty() && c.decompositionTag() == QChar::Canonical)
            c = parts.at(0);
        c = c.toCaseFolded();
    }
    return folded;
}

struct IndexQuery {
    QString match;
    QStringList words; // folded
    bool lastGoesOn = false;
};

IndexQuery indexQuery(const QString &text)
{
    IndexQuery query;
    QStringList terms;
    QStringList phrase;
    bool quoted = false;
    QString word;
    const auto endWord = [&] {
        if (word.isEmpty())
            return;
        if (query.words.size() < indexWordLimit) {
            query.words.append(indexFolded(word));
            (quoted ? phrase : terms).append(word);
        }
        word.clear();
    };
    const auto endPhrase = [&] {
        if (!phrase.isEmpty())
            terms.append(phrase.join(QLatin1Char(' ')));
        phrase.clear();
    };
    for (const QChar c : text) {
        if (c.isLetterOrNumber() || c.isSurrogate() || c.isMark()) {
            word += c;
            continue;
        }
        endWord();
        if (c == QLatin1Char('"')) {
            endPhrase();
            quoted = !quoted;
        }
    }
    query.lastGoesOn = !quoted && word.size() >= indexPrefixFrom;
    endWord();
    endPhrase();
    QStringList quotedTerms;
    for (const QString &term : std::as_const(terms))
        quotedTerms.append(QLatin1Char('"') + term + QLatin1Char('"'));
    query.match = quotedTerms.join(QLatin1Char(' '));
    if (query.lastGoesOn && !query.match.isEmpty())
        query.match += QLatin1Char('*');
    return query;
}

// Where a word begins in the folded text; -1 when it does not.
qsizetype indexFind(const QString &folded, const QString &word)
{
    for (qsizetype at = folded.indexOf(word); at >= 0; at = folded.indexOf(word, at + 1)) {
        if (at == 0 || !folded.at(at - 1).isLetterOrNumber())
            return at;
    }
    return -1;
}

QString indexSnippet(const QString &text, const QStringList &words)
{
    constexpr qsizetype before = 60;
    constexpr qsizetype after = 160;
    const QString folded = indexFolded(text);
    qsizetype at = -1;
    for (const QString &word : words) {
        const qsizetype found = indexFind(folded, word);
        if (found >= 0 && (at < 0 || found < at))
            at = found;
    }
    at = qMax<qsizetype>(0, at);
    qsizetype from = qMax<qsizetype>(0, at - before);
    if (from > 0) {
        const qsizetype space = text.indexOf(QLatin1Char(' '), from);
        from = space >= 0 && space < at ? space + 1 : at;
    }
    if (from > 0 && text.at(from).isLowSurrogate())
        --from;
    qsizetype to = qMin(text.size(), at + after);
    if (to < text.size() && text.at(to).isLowSurrogate())
        ++to;
    QString snippet = text.mid(from, to - from).simplified();
    if (from > 0)
        snippet.prepend(QStringLiteral("… "));
    if (to < text.size())
        snippet.append(QStringLiteral(" …"));
    return snippet;
}

} // namespace

TranscriptIndex::TranscriptIndex(ActorContext &context)
    : m_context(context)
{
}

QString TranscriptIndex::schema()
{
    return QStringLiteral(
        "CREATE TABLE transcript_sessions (number INTEGER PRIMARY KEY, session TEXT NOT NULL UNIQUE);"
        "CREATE VIRTUAL TABLE transcript_words USING fts5(text, content = '', columnsize = 0,"
        " tokenize = 'unicode61 remove_diacritics 2');"
        "INSERT INTO transcript_sessions (session) SELECT substr(topic, 9) FROM topics WHERE topic LIKE 'session/%';"
        "INSERT INTO transcript_words (rowid, text)"
        " SELECT (s.number << 41) | (r.ord << 1), coalesce(json_extract(r.value, '$.text'), '') || ' '"
        " || coalesce(json_extract(r.value, '$.tool.title'), '') || ' ' || coalesce(json_extract(r.value, '$.permission.title'), '')"
        " FROM transcript_sessions s JOIN topics t ON t.topic = 'session/' || s.session JOIN rows r ON r.topic = t.id"
        " WHERE r.removed = 0 AND r.ord IS NOT NULL;");
}

std::optional<qint64> TranscriptIndex::numberOf(const SessionId &session) const
{
    auto q = m_context.database().query("SELECT number FROM transcript_sessions WHERE session = ?", session.value);
    return q.next() ? std::optional<qint64>(q.integer(0)) : std::nullopt;
}

void TranscriptIndex::add(Transaction &tx, const SessionId &session, const TranscriptEntry &entry, Stage stage)
{
    const QString text = indexText(entry);
    if (text.isEmpty())
        return;
    auto number = numberOf(session);
    if (!number) {
        if (!tx.database().run("INSERT INTO transcript_sessions (session) VALUES (?)", session.value))
            return; // the database remembers it: the transaction cannot commit
        number = tx.database().lastRowId();
    }
    tx.database().run("INSERT INTO transcript_words (rowid, text) VALUES (?, ?)", indexDocument(*number, entry.index, stage), text);
}

std::optional<TranscriptHit> TranscriptIndex::hitAt(qint64 document, const QStringList &words) const
{
    TranscriptHit hit;
    {
        auto q = m_context.database().query("SELECT session FROM transcript_sessions WHERE number = ?", document >> (indexEntryBits + 1));
        if (!q.next())
            return std::nullopt;
        hit.sessionId.value = q.text(0);
    }
    hit.index = (document >> 1) & ((qint64(1) << indexEntryBits) - 1);
    const auto row = m_context.row(QStringLiteral("session/") + hit.sessionId.value, QStringLiteral("TranscriptEntry"), QString::number(hit.index));
    const auto *entry = row ? std::get_if<TranscriptEntry>(&*row) : nullptr;
    if (!entry)
        return std::nullopt;
    hit.at = entry->at;
    hit.kind = entry->kind.text();
    hit.snippet = indexSnippet(indexText(*entry), words);
    return hit;
}

Result<TranscriptHits> TranscriptIndex::search(const SearchTranscript &asked, const QList<SessionId> &sessions, const Growing &growing) const
{
    const IndexQuery query = indexQuery(asked.query.left(1000));
    if (query.match.isEmpty())
        return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), QStringLiteral("There is nothing to look for."),
            QStringLiteral("Write at least one word."), QStringLiteral("query"));
    const qint64 limit = qBound(qint64(1), asked.limit, indexHitLimit);
    TranscriptHits found;
    for (const SessionId &session : sessions) {
        const auto open = growing(session);
        if (!open)
            continue;
        const QString folded = indexFolded(open->second);
        const bool all = std::all_of(query.words.begin(), query.words.end(), [&](const QString &word) { return indexFind(folded, word) >= 0; });
        const auto row = all ? m_context.row(QStringLiteral("session/") + session.value, QStringLiteral("TranscriptEntry"), QString::number(open->first))
                             : std::nullopt;
        const auto *entry = row ? std::get_if<TranscriptEntry>(&*row) : nullptr;
        if (entry && found.hits.size() < limit)
            found.hits.append({session, open->first, entry->at, entry->kind.text(), indexSnippet(open->second, query.words)});
    }
    qint64 from = 0;
    qint64 to = std::numeric_limits<qint64>::max();
    if (asked.sessionId) {
        const auto number = numberOf(*asked.sessionId);
        if (!number)
            return found;
        from = indexDocument(*number, 0, Stage::Begun);
        to = indexDocument(*number, (qint64(1) << indexEntryBits) - 1, Stage::Final);
    }
    QList<qint64> documents;
    {
        // An entry may stand here twice, side by side.
        auto q = m_context.database().query(
            "SELECT rowid FROM transcript_words WHERE transcript_words MATCH ? AND rowid BETWEEN ? AND ? ORDER BY rowid DESC LIMIT ?",
            query.match, from, to, 2 * limit + 2);
        while (q.next()) {
            if (documents.isEmpty() || documents.last() >> 1 != q.integer(0) >> 1)
                documents.append(q.integer(0));
        }
        if (auto read = q.result(); !read)
            return read.error();
    }
    for (const qint64 document : std::as_const(documents)) {
        if (found.hits.size() >= limit) {
            found.truncated = true;
            break;
        }
        if (auto hit = hitAt(document, query.words))
            found.hits.append(*hit);
    }
    return found;
}

} // namespace foundry::backend
