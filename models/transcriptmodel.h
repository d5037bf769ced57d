// A session's transcript: a window of consecutive entries of a dense, 0-based whole. Row 0 is entry firstIndex(); older
// ones are asked for with requestOlder(). Text arrives as whole entries or as appends at a UTF-8 offset; both may come
// twice. An append is one dataChanged with TextAppendedRole on its row.
#pragma once

#include "models/listmodelbase.h"
#include "models/topicsink.h"

#include <deque>

namespace foundry {

struct TranscriptPage;

class TranscriptModel final : public ListModelBase, public TopicSink {
    Q_OBJECT
public:
    enum Role {
        KindRole = FirstRole, // EntryKind, as int
        TextRole,             // QString, Markdown
        TextAppendedRole,     // announced when text was only added at the end; data() gives the text
        TurnRole,             // qint64
        ContentRole           // everything but the text
    };

    using ListModelBase::ListModelBase;

    int rowCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role) const override;
    QHash<int, QByteArray> roleNames() const override;

    int count() const { return int(m_entries.size()); }
    const TranscriptEntry &at(int row) const { return m_entries[size_t(row)].entry; }
    // Null when the entry is not in the window.
    const TranscriptEntry *find(qint64 index) const;
    int rowOf(qint64 index) const; // -1 when it is not in the window
    qint64 firstIndex() const { return m_first; }
    qint64 endIndex() const { return m_first + qint64(m_entries.size()); }
    // Entries in the whole transcript, held or not.
    qint64 totalCount() const { return m_total; }
    bool hasOlder() const { return m_first > 0; }
    bool hasNewer() const { return endIndex() < m_total; }
    bool isLoadingOlder() const { return m_loadingOlder; }

    void apply(const TopicEvent &event) override;
    void replace(const QString &topic, const QList<Entity> &all) override;
    // A page that was read; joined with the window when it touches it, else it becomes the window.
    void applyPage(const TranscriptPage &page);
    // How many entries there are, as far as somebody else knows (the session's entryCount).
    void noteTotal(qint64 total);

    // Emits olderWanted once until a page came or cancelOlder() was called.
    void requestOlder();
    void cancelOlder() { m_loadingOlder = false; }

Q_SIGNALS:
    // Entries before `index` are wanted.
    void olderWanted(qint64 index);
    // Entries or text in [from, to) are missing: read that page again.
    void gapFound(qint64 from, qint64 to);
    void totalChanged(qint64 total);

private:
    struct Held {
        TranscriptEntry entry;
        qint64 utf8 = 0; // bytes of entry.text
    };

    static Held hold(const TranscriptEntry &entry);
    void upsert(QList<TranscriptEntry> entries);
    void update(const TranscriptEntry &entry);
    void append(const TextAppend &text, qint64 revision);
    void insertRun(int row, const QList<TranscriptEntry> &run);

    std::deque<Held> m_entries;
    qint64 m_first = 0;
    qint64 m_total = 0;
    bool m_loadingOlder = false;
};

} // namespace foundry
