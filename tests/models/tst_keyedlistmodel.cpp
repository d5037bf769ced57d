// The diffs of KeyedListModel: truthful signals, silence for equal values, no reset after the first load.
#include "models/keyedlistmodel.h"
#include "tests/models/modelmirror.h"

#include <QAbstractItemModelTester>
#include <QMap>
#include <QRandomGenerator>
#include <QTest>

namespace foundry {

struct Item {
    QString id;
    int order = 0;
    QString text;
    qint64 rev = 0;
    friend bool operator==(const Item &a, const Item &b) { return a.id == b.id && a.order == b.order && a.text == b.text; }
};

class ItemModel final : public KeyedListModel<Item, QString> {
public:
    enum { TextRole = FirstRole };

protected:
    QString keyOf(const Item &item) const override { return item.id; }
    bool before(const Item &a, const Item &b) const override { return a.order < b.order; }
    QVariant dataOf(const Item &item, int role) const override
    {
        return role == Qt::DisplayRole ? QVariant(QStringLiteral("%1:%2:%3").arg(item.id, item.text).arg(item.order))
                                       : QVariant();
    }
    QList<int> changedRoles(const Item &was, const Item &is) const override
    {
        return was.text != is.text ? QList<int>{ValueRole, TextRole} : QList<int>{ValueRole};
    }
};

class TestKeyedListModel : public QObject {
    Q_OBJECT

    static QStringList ids(const ItemModel &model)
    {
        QStringList list;
        for (int row = 0; row < model.count(); ++row)
            list.append(model.at(row).id);
        return list;
    }
    static QList<Item> items(std::initializer_list<std::pair<const char *, int>> list)
    {
        QList<Item> result;
        for (const auto &[id, order] : list)
            result.append({QString::fromLatin1(id), order, {}});
        return result;
    }

private Q_SLOTS:
    void diffs_data()
    {
        QTest::addColumn<QList<QPair<QString, int>>>("upserts");
        QTest::addColumn<QStringList>("removals");
        QTest::addColumn<QStringList>("result");
        QTest::addColumn<int>("inserts");
        QTest::addColumn<int>("removes");
        QTest::addColumn<int>("moves");
        QTest::addColumn<int>("changes");
        using Pairs = QList<QPair<QString, int>>;
        const auto s = [](const char *text) { return QString::fromLatin1(text); };
        const QStringList abcd{s("a"), s("b"), s("c"), s("d")};
        QTest::newRow("nothing") << Pairs{} << QStringList{} << abcd << 0 << 0 << 0 << 0;
        QTest::newRow("equal") << Pairs{{s("b"), 20}} << QStringList{} << abcd << 0 << 0 << 0 << 0;
        QTest::newRow("in place") << Pairs{{s("b"), 25}} << QStringList{} << abcd << 0 << 0 << 0 << 1;
        QTest::newRow("first to end") << Pairs{{s("a"), 50}} << QStringList{}
                                      << QStringList{s("b"), s("c"), s("d"), s("a")} << 0 << 0 << 1 << 1;
        QTest::newRow("last to front") << Pairs{{s("d"), 5}} << QStringList{}
                                       << QStringList{s("d"), s("a"), s("b"), s("c")} << 0 << 0 << 1 << 1;
        QTest::newRow("tie by key") << Pairs{{s("d"), 20}} << QStringList{}
                                    << QStringList{s("a"), s("b"), s("d"), s("c")} << 0 << 0 << 1 << 1;
        QTest::newRow("one run in the middle") << Pairs{{s("x"), 21}, {s("y"), 22}} << QStringList{}
                                               << QStringList{s("a"), s("b"), s("x"), s("y"), s("c"), s("d")} << 1 << 0 << 0 << 0;
        QTest::newRow("both ends") << Pairs{{s("y"), 99}, {s("x"), 1}} << QStringList{}
                                   << QStringList{s("x"), s("a"), s("b"), s("c"), s("d"), s("y")} << 2 << 0 << 0 << 0;
        QTest::newRow("twice the same new") << Pairs{{s("x"), 1}, {s("x"), 99}} << QStringList{}
                                            << QStringList{s("a"), s("b"), s("c"), s("d"), s("x")} << 1 << 0 << 0 << 0;
        QTest::newRow("neighbours go together") << Pairs{} << QStringList{s("c"), s("b")} << QStringList{s("a"), s("d")} << 0
                                                << 1 << 0 << 0;
        QTest::newRow("unknown and double removal") << Pairs{} << QStringList{s("?"), s("d"), s("d"), s("a")}
                                                    << QStringList{s("b"), s("c")} << 0 << 2 << 0 << 0;
        QTest::newRow("removed and back") << Pairs{{s("a"), 35}} << QStringList{s("a")}
                                          << QStringList{s("b"), s("c"), s("a"), s("d")} << 1 << 1 << 0 << 0;
    }
    void diffs()
    {
        using Pairs = QList<QPair<QString, int>>;
        QFETCH(const Pairs, upserts);
        QFETCH(QStringList, removals);
        ItemModel model;
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
        model.replaceAll(items({{"d", 40}, {"b", 20}, {"a", 10}, {"c", 30}}));
        test::ModelMirror mirror(&model, Qt::DisplayRole);
        QList<Item> values;
        for (const auto &[id, order] : upserts)
            values.append({id, order, {}});
        model.apply(values, removals);
        QTEST(ids(model), "result");
        QCOMPARE(mirror.rows(), mirror.actual());
        QCOMPARE(mirror.resets, 0);
        QTEST(mirror.inserts, "inserts");
        QTEST(mirror.removes, "removes");
        QTEST(mirror.moves, "moves");
        QTEST(mirror.changes, "changes");
    }

    void loadsOnceThenDiffs()
    {
        ItemModel model;
        test::ModelMirror mirror(&model, Qt::DisplayRole);
        QVERIFY(!model.isReady());
        model.replaceAll(items({{"b", 2}, {"a", 1}}));
        QCOMPARE(mirror.resets, 1);
        mirror.clearCounts();
        model.replaceAll(items({{"a", 1}, {"c", 3}}));
        QCOMPARE(ids(model), QStringList({QStringLiteral("a"), QStringLiteral("c")}));
        model.replaceAll({});
        model.replaceAll(items({{"a", 1}}));
        QCOMPARE(mirror.resets, 0);
        QCOMPARE(mirror.changes, 0);
        QCOMPARE(mirror.rows(), mirror.actual());
    }

    void emptyFirstLoadNeverResets()
    {
        ItemModel model;
        test::ModelMirror mirror(&model, Qt::DisplayRole);
        model.replaceAll({});
        model.apply(items({{"a", 1}}), {});
        QCOMPARE(mirror.resets, 0);
        QCOMPARE(mirror.inserts, 1);
    }

    void rolesNameWhatChanged()
    {
        ItemModel model;
        model.replaceAll(items({{"a", 1}, {"b", 2}}));
        test::ModelMirror mirror(&model, Qt::DisplayRole);
        model.apply({{QStringLiteral("b"), 2, QStringLiteral("new")}}, {});
        QCOMPARE(mirror.changes, 1);
        QCOMPARE(mirror.lastRoles, QList<int>({ItemModel::ValueRole, ItemModel::TextRole}));
    }

    void equalValueIsSilentButKeepsRevision()
    {
        ItemModel model;
        model.replaceAll(items({{"a", 1}}));
        test::ModelMirror mirror(&model, Qt::DisplayRole);
        model.apply({{QStringLiteral("a"), 1, {}, 77}}, {});
        QCOMPARE(mirror.changes, 0);
        QCOMPARE(model.find(QStringLiteral("a"))->rev, 77);
    }

    void persistentIndexFollowsMoves()
    {
        ItemModel model;
        model.replaceAll(items({{"a", 1}, {"b", 2}, {"c", 3}}));
        const QPersistentModelIndex index = model.indexOf(QStringLiteral("b"));
        model.apply({{QStringLiteral("b"), 9, {}}}, {});
        model.apply(items({{"x", 0}}), {QStringLiteral("a")});
        QCOMPARE(index.row(), model.rowOf(QStringLiteral("b")));
        QCOMPARE(index.row(), 2);
    }

    void randomAgainstReference()
    {
        QRandomGenerator random(20261122);
        ItemModel model;
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
        test::ModelMirror mirror(&model, Qt::DisplayRole);
        QMap<QString, Item> reference;
        for (int round = 0; round < 400; ++round) {
            QList<Item> upserts;
            QStringList removals;
            for (int n = int(random.bounded(6)); n > 0; --n)
                removals.append(QString::number(random.bounded(60)));
            for (int n = int(random.bounded(9)); n > 0; --n)
                upserts.append({QString::number(random.bounded(60)), int(random.bounded(20)),
                    QString::number(random.bounded(3))});
            for (const QString &key : std::as_const(removals))
                reference.remove(key);
            for (const Item &item : std::as_const(upserts))
                reference.insert(item.id, item);
            if (round % 50 == 49) {
                model.replaceAll(reference.values());
            } else {
                model.apply(upserts, removals);
            }
            QList<Item> expected = reference.values();
            std::sort(expected.begin(), expected.end(), [](const Item &a, const Item &b) {
                return a.order != b.order ? a.order < b.order : a.id < b.id;
            });
            QCOMPARE(model.count(), int(expected.size()));
            for (int row = 0; row < model.count(); ++row) {
                QCOMPARE(model.at(row), expected.at(row));
                QCOMPARE(model.rowOf(expected.at(row).id), row);
            }
            QCOMPARE(mirror.rows(), mirror.actual());
        }
        QCOMPARE(mirror.resets, 0);
    }

    void tenThousandRowsInTime()
    {
        QList<Item> all;
        for (int n = 0; n < 10'000; ++n)
            all.append({QString::number(n), n, {}});
        ItemModel model;
        model.replaceAll(all);
        QElapsedTimer timer;
        timer.start();
        QRandomGenerator random(1);
        for (int n = 0; n < 1000; ++n)
            model.apply({{QString::number(random.bounded(10'000)), int(random.bounded(10'000)), {}}}, {});
        QVERIFY2(timer.elapsed() < 500, qPrintable(QStringLiteral("%1 ms for 1,000 moves").arg(timer.elapsed())));
    }
};

} // namespace foundry

QTEST_GUILESS_MAIN(foundry::TestKeyedListModel)
#include "tst_keyedlistmodel.moc"
