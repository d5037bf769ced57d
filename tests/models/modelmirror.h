// Follows a list model by its signals alone, as a view does, and can say whether that led to the same rows. Counts every
// signal. A wrong insert, move or missing dataChanged shows as a difference.
#pragma once

#include <QAbstractItemModel>
#include <QObject>
#include <QTest>
#include <QVariant>

namespace foundry::test {

class ModelMirror : public QObject {
public:
    // `role` is what is compared; it must be comparable as QString.
    ModelMirror(QAbstractItemModel *model, int role, QModelIndex root = {})
        : m_model(model)
        , m_role(role)
        , m_root(root)
    {
        reload();
        connect(model, &QAbstractItemModel::modelReset, this, [this] {
            ++resets;
            reload();
        });
        connect(model, &QAbstractItemModel::rowsInserted, this, [this](const QModelIndex &parent, int first, int last) {
            if (parent != m_root)
                return;
            ++inserts;
            for (int row = first; row <= last; ++row)
                m_rows.insert(row, read(row));
        });
        connect(model, &QAbstractItemModel::rowsRemoved, this, [this](const QModelIndex &parent, int first, int last) {
            if (parent != m_root)
                return;
            ++removes;
            m_rows.remove(first, last - first + 1);
        });
        connect(model, &QAbstractItemModel::rowsMoved, this,
            [this](const QModelIndex &from, int first, int last, const QModelIndex &to, int row) {
                ++moves;
                Q_ASSERT(from == to && first == last);
                Q_UNUSED(last)
                m_rows.move(first, row > first ? row - 1 : row);
            });
        connect(model, &QAbstractItemModel::dataChanged, this,
            [this](const QModelIndex &first, const QModelIndex &last, const QList<int> &roles) {
                if (first.parent() != m_root)
                    return;
                changedRows += last.row() - first.row() + 1;
                ++changes;
                lastRoles = roles;
                for (int row = first.row(); row <= last.row(); ++row)
                    m_rows[row] = read(row);
            });
    }

    QStringList rows() const { return m_rows; }
    QStringList actual() const
    {
        QStringList rows;
        for (int row = 0; row < m_model->rowCount(m_root); ++row)
            rows.append(read(row));
        return rows;
    }
    void clearCounts() { resets = inserts = removes = moves = changes = changedRows = 0; }

    int resets = 0;
    int inserts = 0;
    int removes = 0;
    int moves = 0;
    int changes = 0;
    int changedRows = 0;
    QList<int> lastRoles;

private:
    QString read(int row) const { return m_model->index(row, 0, m_root).data(m_role).toString(); }
    void reload() { m_rows = actual(); }

    QAbstractItemModel *m_model;
    int m_role;
    QPersistentModelIndex m_root;
    QStringList m_rows;
};

} // namespace foundry::test
