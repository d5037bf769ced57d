#include "models/transcriptmodel.h"

#include "models/topicvalues.h"
#include "models/types/commands.h"

#include <algorithm>

namespace foundry {

int TranscriptModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : count();
}

QVariant TranscriptModel::data(const QModelIndex &index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid))
        return {};
    const TranscriptEntry &entry = at(index.row());
    switch (role) {
    case ValueRole:
    case ContentRole:
        return QVariant::fromValue(entry);
    case Qt::DisplayRole:
    case TextRole:
    case TextAppendedRole:
        return entry.text;
    case KindRole:
        return int(entry.kind.valueOr(EntryKind::Notice));
    case TurnRole:
        return entry.turn;
    default:
        return {};
    }
}

QHash<int, QByteArray> TranscriptModel::roleNames() const
{
    return {{ValueRole, "value"}, {KindRole, "kind"}, {TextRole, "text"}, {TextAppendedRole, "textAppended"},
        {TurnRole, "turn"}, {ContentRole, "content"}};
}

const TranscriptEntry *TranscriptModel::find(qint64 index) const
{
    const int row = rowOf(index);
    return row < 0 ? nullptr : &at(row);
}

int TranscriptModel::rowOf(qint64 index) const
{
    return index >= m_first && index < endIndex() ? int(index - m_first) : -1;
}

void TranscriptModel::apply(const TopicEvent &event)
{
    upsert(valuesOf<TranscriptEntry>(event.upserts));
    if (event.appends.isEmpty())
        return;
    for (const TextAppend &text : event.appends)
        append(text, event.revision);
}

void TranscriptModel::replace(const QString &topic, const QList<Entity> &all)
{
    if (!topic.startsWith(QLatin1StringView("session/")))
        return;
    TranscriptPage page;
    page.entries = valuesOf<TranscriptEntry>(all);
    applyPage(page);
}

void TranscriptModel::applyPage(const TranscriptPage &page)
{
    m_loadingOlder = false;
    QList<TranscriptEntry> entries = page.entries;
    std::sort(entries.begin(), entries.end(),
        [](const TranscriptEntry &a, const TranscriptEntry &b) { return a.index < b.index; });
    if (!entries.isEmpty() && !m_entries.empty() && entries.first().index > endIndex()) {
        // A later part of the whole: what lies between is not held, so the window moves there.
        beginRemoveRows({}, 0, count() - 1);
        m_entries.clear();
        endRemoveRows();
    }
    if (!entries.isEmpty() && m_entries.empty())
        m_first = entries.first().index;
    upsert(entries);
    noteTotal(page.count);
}

void TranscriptModel::noteTotal(qint64 total)
{
    total = qMax(qMax(total, m_total), endIndex());
    if (total == m_total)
        return;
    m_total = total;
    Q_EMIT totalChanged(total);
}

void TranscriptModel::requestOlder()
{
    if (m_loadingOlder || !hasOlder())
        return;
    m_loadingOlder = true;
    Q_EMIT olderWanted(m_first);
}

TranscriptModel::Held TranscriptModel::hold(const TranscriptEntry &entry)
{
    return {entry, entry.text.toUtf8().size()};
}

void TranscriptModel::upsert(QList<TranscriptEntry> entries)
{
    if (entries.isEmpty())
        return;
    std::sort(entries.begin(), entries.end(),
        [](const TranscriptEntry &a, const TranscriptEntry &b) { return a.index < b.index; });
    if (m_entries.empty())
        m_first = entries.first().index;
    QList<TranscriptEntry> older;
    QList<TranscriptEntry> newer;
    for (const TranscriptEntry &entry : std::as_const(entries)) {
        if (entry.index < m_first) {
            if (!older.isEmpty() && older.last().index == entry.index)
                older.last() = entry;
            else if (!older.isEmpty() && older.last().index != entry.index - 1)
                older = {entry};
            else
                older.append(entry);
        } else if (entry.index < endIndex()) {
            update(entry);
        } else if (!newer.isEmpty() && newer.last().index == entry.index) {
            newer.last() = entry;
        } else if (entry.index == endIndex() + newer.size()) {
            newer.append(entry);
        } else {
            const qint64 from = endIndex() + newer.size();
            insertRun(count(), newer);
            noteTotal(entry.index + 1);
            Q_EMIT gapFound(from, entry.index);
            newer.clear();
            break;
        }
    }
    insertRun(count(), newer);
    // An older run counts only when it ends where the window begins.
    if (!older.isEmpty() && older.last().index == m_first - 1)
        insertRun(0, older);
    noteTotal(endIndex());
}

void TranscriptModel::insertRun(int row, const QList<TranscriptEntry> &run)
{
    if (run.isEmpty())
        return;
    beginInsertRows({}, row, row + int(run.size()) - 1);
    std::vector<Held> held;
    held.reserve(size_t(run.size()));
    for (const TranscriptEntry &entry : run)
        held.push_back(hold(entry));
    m_entries.insert(m_entries.begin() + row, std::make_move_iterator(held.begin()), std::make_move_iterator(held.end()));
    m_first = m_entries.front().entry.index;
    endInsertRows();
}

void TranscriptModel::update(const TranscriptEntry &entry)
{
    const int row = rowOf(entry.index);
    Held &held = m_entries[size_t(row)];
    if (entry.rev < held.entry.rev)
        return; // read before what is shown already
    if (held.entry == entry) {
        held.entry = entry;
        return;
    }
    TranscriptEntry sameText = entry;
    sameText.text = held.entry.text;
    QList<int> roles{ValueRole};
    if (entry.text != held.entry.text) {
        roles << TextRole << Qt::DisplayRole;
        if (entry.text.startsWith(held.entry.text) && sameText == held.entry)
            roles << TextAppendedRole;
    }
    if (entry.kind != held.entry.kind)
        roles << KindRole;
    if (entry.turn != held.entry.turn)
        roles << TurnRole;
    if (!(sameText == held.entry))
        roles << ContentRole;
    held = hold(entry);
    Q_EMIT dataChanged(index(row, 0), index(row, 0), roles);
}

void TranscriptModel::append(const TextAppend &text, qint64 revision)
{
    const int row = rowOf(text.index);
    if (row < 0) {
        if (text.index >= endIndex() && !m_entries.empty())
            Q_EMIT gapFound(endIndex(), text.index + 1);
        return;
    }
    Held &held = m_entries[size_t(row)];
    const QByteArray bytes = text.text.toUtf8();
    const qint64 known = held.utf8 - text.offset; // how much of it is there already
    if (known < 0) {
        Q_EMIT gapFound(text.index, text.index + 1);
        return;
    }
    held.entry.rev = qMax(held.entry.rev, revision);
    if (known >= bytes.size())
        return;
    if (known > 0 && (uchar(bytes.at(known)) & 0xc0u) == 0x80u) {
        // Inside a character: what is held is another text than the host's.
        Q_EMIT gapFound(text.index, text.index + 1);
        return;
    }
    held.entry.text += known == 0 ? text.text : QString::fromUtf8(bytes.mid(known));
    held.utf8 += bytes.size() - known;
    Q_EMIT dataChanged(index(row, 0), index(row, 0), {ValueRole, TextRole, Qt::DisplayRole, TextAppendedRole});
}

} // namespace foundry
