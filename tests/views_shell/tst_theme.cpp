// Tokens: every text colour can be read on every surface; ages and durations are said right; icons are all there.
#include "resources/foundryresources.h"
#include "views/common/minuteclock.h"
#include "views/common/themeprovider.h"

#include <QApplication>
#include <QFontInfo>
#include <QSignalSpy>
#include <QTest>
#include <QWidget>

#include <cmath>

namespace foundry::views {

class TestTheme : public QObject {
    Q_OBJECT

    static double luminance(const QColor &color)
    {
        const auto part = [](double c) { return c <= 0.03928 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4); };
        return 0.2126 * part(color.redF()) + 0.7152 * part(color.greenF()) + 0.0722 * part(color.blueF());
    }
    static double contrast(const QColor &a, const QColor &b)
    {
        const double x = luminance(a);
        const double y = luminance(b);
        return (qMax(x, y) + 0.05) / (qMin(x, y) + 0.05);
    }

private Q_SLOTS:
    void initTestCase() { initResources(); }

    void textCanBeRead()
    {
        const std::pair<const char *, ColorToken> texts[] = {{"text", &Colors::text}, {"textMuted", &Colors::textMuted},
            {"textFaint", &Colors::textFaint}, {"accentText", &Colors::accentText}, {"link", &Colors::link},
            {"green", &Colors::green}, {"amber", &Colors::amber}, {"red", &Colors::red}};
        const std::pair<const char *, ColorToken> grounds[] = {{"window", &Colors::window}, {"surface", &Colors::surface},
            {"raised", &Colors::raised}, {"hover", &Colors::hover}, {"selected", &Colors::selected},
            {"popover", &Colors::popover}, {"field", &Colors::field}};
        const std::pair<const char *, ColorToken> washes[] = {{"redWash", &Colors::redWash}, {"amberWash", &Colors::amberWash},
            {"greenWash", &Colors::greenWash}, {"accentWash", &Colors::accentWash}, {"addedLine", &Colors::addedLine},
            {"addedWord", &Colors::addedWord}, {"removedLine", &Colors::removedLine}, {"removedWord", &Colors::removedWord},
            {"selection", &Colors::selection}};
        for (const Theme &theme : {Theme::light(), Theme::dark()}) {
            const Colors &c = theme.colors();
            const auto check = [&](const auto &text, const auto &ground) {
                const double ratio = contrast(c.*text.second, c.*ground.second);
                QVERIFY2(ratio >= 4.5, qPrintable(QStringLiteral("%1 on %2 is %3:1 (%4)")
                                           .arg(QLatin1StringView(text.first), QLatin1StringView(ground.first))
                                           .arg(ratio, 0, 'f', 2)
                                           .arg(theme.isDark() ? QStringLiteral("dark") : QStringLiteral("light"))));
            };
            for (const auto &text : texts) {
                for (const auto &ground : grounds)
                    check(text, ground);
            }
            for (const auto &ground : washes) {
                check(texts[0], ground);
            }
            for (const auto &ground : {washes[0], washes[1]})
                check(texts[1], ground);
            QVERIFY(contrast(c.onAccent, c.accent) >= 4.5);
            QVERIFY(contrast(c.accent, c.window) >= 3.0); // the focus ring
        }
    }

    void everyIconIsThere()
    {
        Icons icons;
        for (int icon = 0; icon <= int(Icon::Zap); ++icon) {
            QVERIFY2(QFile::exists(Icons::resourcePath(Icon(icon))), qPrintable(Icons::resourcePath(Icon(icon))));
            const QPixmap pixmap = icons.pixmap(Icon(icon), Qt::black, 16, 2.0);
            QCOMPARE(pixmap.width(), 32);
            const QImage image = pixmap.toImage();
            bool drawn = false;
            for (int y = 0; y < 32 && !drawn; ++y) {
                for (int x = 0; x < 32; ++x)
                    drawn = drawn || qAlpha(image.pixel(x, y)) > 0;
            }
            QVERIFY(drawn);
        }
        const int cached = icons.cached();
        icons.pixmap(Icon::Plus, Qt::black, 16, 2.0);
        QCOMPARE(icons.cached(), cached);
    }

    void fontsAreOurs()
    {
        QCOMPARE(QFontInfo(Theme::light().font(TextStyle::List)).family(), QStringLiteral("Inter"));
        QCOMPARE(QFontInfo(Theme::light().font(TextStyle::Mono)).family(), QStringLiteral("JetBrains Mono"));
        QCOMPARE(QFontInfo(Theme::light().font(TextStyle::Title)).pixelSize(), 20);
    }

    void followsChoiceAndDesktop()
    {
        ThemeProvider theme(ThemeChoice::System);
        QSignalSpy changed(&theme, &ThemeProvider::changed);
        QVERIFY(!theme.theme().isDark());
        theme.setDesktopPrefersDark(true);
        QVERIFY(theme.theme().isDark());
        theme.setDesktopPrefersDark(true);
        QCOMPARE(changed.size(), 1);
        theme.setChoice(ThemeChoice::Light);
        QVERIFY(!theme.theme().isDark());
        theme.setDesktopPrefersDark(false);
        QCOMPARE(changed.size(), 2);
    }

    void ages_data()
    {
        QTest::addColumn<qint64>("age");
        QTest::addColumn<QString>("text");
        const qint64 minute = 60'000;
        QTest::newRow("future") << -5 * minute << QStringLiteral("now");
        QTest::newRow("now") << qint64(59'000) << QStringLiteral("now");
        QTest::newRow("minute") << minute << QStringLiteral("1m");
        QTest::newRow("minutes") << 59 * minute << QStringLiteral("59m");
        QTest::newRow("hour") << 60 * minute << QStringLiteral("1h");
        QTest::newRow("hours") << 23 * 60 * minute << QStringLiteral("23h");
        QTest::newRow("days") << 13 * 24 * 60 * minute << QStringLiteral("13d");
        QTest::newRow("weeks") << 20 * 24 * 60 * minute << QStringLiteral("2w");
    }
    void ages()
    {
        QFETCH(qint64, age);
        const Millis now = 1'795'349'912'589;
        QTEST(shortAge(now - age, now), "text");
        QCOMPARE(shortAge(0, now), QString());
    }

    void durations()
    {
        QCOMPARE(durationText(420), QStringLiteral("420 ms"));
        QCOMPARE(durationText(4200), QStringLiteral("4.2 s"));
        QCOMPARE(durationText(42'000), QStringLiteral("42 s"));
        QCOMPARE(durationText(192'000), QStringLiteral("3 min 12 s"));
        QCOMPARE(durationText(3'900'000), QStringLiteral("1 h 5 min"));
    }

    void clockTicksOnlyWhileSeen()
    {
        MinuteClock clock;
        QWidget widget;
        clock.watch(&widget);
        QVERIFY(!clock.isTicking());
        widget.show();
        QVERIFY(clock.isTicking());
    }
};

} // namespace foundry::views

QTEST_MAIN(foundry::views::TestTheme)
#include "tst_theme.moc"
