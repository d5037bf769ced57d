// A list of values found by key and kept in order. Changes come as upserts and removals and leave as the least that
// happened: insert, move, remove, dataChanged with roles; an equal value is silent. The model resets only for its first
// load. Values live in nodes, so a row costs a pointer and finding one costs a hash look-up and a binary search.
#pragma once

#include "models/listmodelbase.h"

#include <QList>

#include <algorithm>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace foundry {

template <class Key>
struct KeyHash {
    size_t operator()(const Key &key) const noexcept { return qHash(key, 0); }
};

template <class Value, class Key>
class KeyedListModel : public ListModelBase {
public:
    using ListModelBase::ListModelBase;

    int rowCount(const QModelIndex &parent = {}) const override { return parent.isValid() ? 0 : int(m_rows.size()); }
    QVariant data(const QModelIndex &index, int role) const override
    {
        if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid))
            return {};
        const Value &value = at(index.row());
        return role == ValueRole ? QVariant::fromValue(value) : dataOf(value, role);
    }

    int count() const { return int(m_rows.size()); }
    const Value &at(int row) const { return *m_rows[size_t(row)]; }
    // The value with this key, or null. Valid until the next change of the model.
    const Value *find(const Key &key) const
    {
        const auto found = m_values.find(key);
        return found == m_values.end() ? nullptr : &found->second;
    }
    bool contains(const Key &key) const { return m_values.find(key) != m_values.end(); }
    // -1 when there is none.
    int rowOf(const Key &key) const
    {
        const Value *value = find(key);
        return value ? rowOfValue(*value) : -1;
    }
    QModelIndex indexOf(const Key &key) const
    {
        const int row = rowOf(key);
        return row < 0 ? QModelIndex() : index(row, 0);
    }

    // Removals first, then upserts; of two upserts with one key the later counts.
    void apply(const QList<Value> &upserts, const QList<Key> &removals)
    {
        removeKeys(removals);
        QList<Value> fresh;
        std::unordered_map<Key, qsizetype, KeyHash<Key>> freshAt;
        for (const Value &value : upserts) {
            const Key key = keyOf(value);
            if (const auto found = m_values.find(key); found != m_values.end()) {
                update(found->second, value);
            } else if (const auto again = freshAt.find(key); again != freshAt.end()) {
                fresh[again->second] = value;
            } else {
                freshAt.emplace(key, fresh.size());
                fresh.append(value);
            }
        }
        insertFresh(std::move(fresh));
    }

    // Everything there is: what it does not name is removed. Does not make ready: a snapshot may come in slices.
    void replaceAll(const QList<Value> &values)
    {
        if (!m_loaded && m_rows.empty()) {
            load(values);
        } else {
            std::unordered_set<Key, KeyHash<Key>> kept;
            kept.reserve(size_t(values.size()));
            for (const Value &value : values)
                kept.insert(keyOf(value));
            QList<Key> gone;
            for (const Value *value : m_rows) {
                const Key key = keyOf(*value);
                if (kept.find(key) == kept.end())
                    gone.append(key);
            }
            apply(values, gone);
        }
        m_loaded = true;
    }

protected:
    virtual Key keyOf(const Value &value) const = 0;
    // Strict weak order; ties are broken by key, so that the order is total and moves are stable.
    virtual bool before(const Value &a, const Value &b) const = 0;
    virtual QVariant dataOf(const Value &value, int role) const = 0;
    // Which roles differ; empty means all. Only asked when the values are not equal.
    virtual QList<int> changedRoles(const Value &was, const Value &is) const
    {
        Q_UNUSED(was)
        Q_UNUSED(is)
        return {};
    }

private:
    bool less(const Value &a, const Value &b) const
    {
        if (before(a, b))
            return true;
        if (before(b, a))
            return false;
        return keyOf(a) < keyOf(b);
    }

    int rowOfValue(const Value &value) const
    {
        const auto at = std::lower_bound(m_rows.begin(), m_rows.end(), &value,
            [this](const Value *a, const Value *b) { return less(*a, *b); });
        return int(at - m_rows.begin());
    }

    void load(const QList<Value> &values)
    {
        if (values.isEmpty())
            return;
        beginResetModel();
        for (const Value &value : values)
            m_values.insert_or_assign(keyOf(value), value);
        m_rows.reserve(m_values.size());
        for (const auto &[key, value] : m_values)
            m_rows.push_back(&value);
        std::sort(m_rows.begin(), m_rows.end(), [this](const Value *a, const Value *b) { return less(*a, *b); });
        endResetModel();
    }

    void removeKeys(const QList<Key> &keys)
    {
        std::vector<int> rows;
        for (const Key &key : keys) {
            if (const int row = rowOf(key); row >= 0)
                rows.push_back(row);
        }
        std::sort(rows.begin(), rows.end());
        rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
        // From the end, neighbours together, so that the rows not yet removed keep their numbers.
        for (auto last = rows.rbegin(); last != rows.rend();) {
            auto first = last;
            while (std::next(first) != rows.rend() && *std::next(first) == *first - 1)
                ++first;
            removeRange(*first, *last);
            last = std::next(first);
        }
    }

    void removeRange(int first, int last)
    {
        beginRemoveRows({}, first, last);
        std::vector<Key> keys;
        for (int row = first; row <= last; ++row)
            keys.push_back(keyOf(at(row)));
        m_rows.erase(m_rows.begin() + first, m_rows.begin() + last + 1);
        for (const Key &key : keys)
            m_values.erase(key);
        endRemoveRows();
    }

    void update(Value &held, const Value &value)
    {
        if (held == value) {
            held = value; // the revision may differ; it is no part of what is shown
            return;
        }
        const int row = rowOfValue(held);
        const QList<int> roles = changedRoles(held, value);
        held = value;
        const bool afterPrevious = row == 0 || less(at(row - 1), held);
        const bool beforeNext = row == count() - 1 || less(held, at(row + 1));
        int shownAt = row;
        if (!afterPrevious) {
            const auto to = std::lower_bound(m_rows.begin(), m_rows.begin() + row, &held,
                [this](const Value *a, const Value *b) { return less(*a, *b); });
            shownAt = int(to - m_rows.begin());
            beginMoveRows({}, row, row, {}, shownAt);
            std::rotate(to, m_rows.begin() + row, m_rows.begin() + row + 1);
            endMoveRows();
        } else if (!beforeNext) {
            const auto to = std::lower_bound(m_rows.begin() + row + 1, m_rows.end(), &held,
                [this](const Value *a, const Value *b) { return less(*a, *b); });
            shownAt = int(to - m_rows.begin()) - 1;
            beginMoveRows({}, row, row, {}, shownAt + 1);
            std::rotate(m_rows.begin() + row, m_rows.begin() + row + 1, to);
            endMoveRows();
        }
        Q_EMIT dataChanged(index(shownAt, 0), index(shownAt, 0), roles);
    }

    void insertFresh(QList<Value> fresh)
    {
        std::sort(fresh.begin(), fresh.end(), [this](const Value &a, const Value &b) { return less(a, b); });
        for (qsizetype from = 0; from < fresh.size();) {
            const int row = rowOfValue(fresh.at(from));
            qsizetype to = from + 1;
            while (to < fresh.size() && (row == count() || less(fresh.at(to), at(row))))
                ++to;
            beginInsertRows({}, row, row + int(to - from) - 1);
            std::vector<const Value *> added;
            for (; from < to; ++from)
                added.push_back(&m_values.insert_or_assign(keyOf(fresh.at(from)), fresh.at(from)).first->second);
            m_rows.insert(m_rows.begin() + row, added.begin(), added.end());
            endInsertRows();
        }
    }

    std::unordered_map<Key, Value, KeyHash<Key>> m_values;
    std::vector<const Value *> m_rows;
    bool m_loaded = false;
};

} // namespace foundry
