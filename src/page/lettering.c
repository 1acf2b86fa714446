/* SPDX-License-Identifier: MIT */
/*
 * Letters of straight strokes on a grid: x 0 to 4, y 0 (top of a capital) over 6 (the base line)
 * to 8. A glyph is text: two digits are a point, points without a space between them one stroke.
 */
#include "page/canvas.h"

#include <math.h>
#include <string.h>

#define CAPITAL 6.0    /* grid units of a capital's height */
#define SPACING 1.8    /* units between letters */
#define BLANK 1.6      /* units of a space */
#define THICKNESS 0.13 /* of a capital's height */

static const char *const glyphs[128] = {
    ['!'] = "0004 0606",
    ['"'] = "0002 2022",
    ['#'] = "1016 3036 0242 0444",
    ['%'] = "0640 0010110100 3545463635",
    ['&'] = "4612112031320405162644",
    ['\''] = "0002",
    ['('] = "10020416",
    [')'] = "00121406",
    ['*'] = "2024 0143 0341",
    ['+'] = "0343 2125",
    [','] = "1607",
    ['-'] = "0333",
    ['.'] = "0606",
    ['/'] = "0630",
    ['0'] = "103041453616050110",
    ['1'] = "012026 0646",
    ['2'] = "01103041420646",
    ['3'] = "01103041423313 334445361605",
    ['4'] = "36300444",
    ['5'] = "400002324345361605",
    ['6'] = "413010010516364544331304",
    ['7'] = "004026",
    ['8'] = "13020110304142331304051636454433",
    ['9'] = "051636454130100102133342",
    [':'] = "0303 0606",
    [';'] = "0303 0607",
    ['<'] = "310335",
    ['='] = "0232 0434",
    ['>'] = "013305",
    ['?'] = "01103041422324 2626",
    ['@'] = "3323133435444030100105163646",
    ['A'] = "062046 1434",
    ['B'] = "00063645443303 3342413000",
    ['C'] = "4130100105163645",
    ['D'] = "00062644422000",
    ['E'] = "40000646 0333",
    ['F'] = "400006 0333",
    ['G'] = "41301001051636454323",
    ['H'] = "0006 4046 0343",
    ['I'] = "0006",
    ['J'] = "3035261605",
    ['K'] = "0006 4004 1346",
    ['L'] = "000646",
    ['M'] = "0600234046",
    ['N'] = "06004640",
    ['O'] = "103041453616050110",
    ['P'] = "06003041423303",
    ['Q'] = "103041453616050110 2446",
    ['R'] = "06003041423303 2346",
    ['S'] = "413010010213334445361605",
    ['T'] = "0040 2026",
    ['U'] = "000516364540",
    ['V'] = "002640",
    ['W'] = "0016233640",
    ['X'] = "0046 4006",
    ['Y'] = "002340 2326",
    ['Z'] = "00400646",
    ['['] = "10000616",
    ['\\'] = "0036",
    [']'] = "00101606",
    ['^'] = "022042",
    ['_'] = "0747",
    ['`'] = "0011",
    ['a'] = "0212223336 341405162635",
    ['b'] = "0006 0312223335261605",
    ['c'] = "3322120305162635",
    ['d'] = "3036 3322120305162635",
    ['e'] = "04343322120305162635",
    ['f'] = "201116 0222",
    ['g'] = "3237281807 3322120305162635",
    ['h'] = "0006 0312223336",
    ['i'] = "0206 0000",
    ['j'] = "12171808 1010",
    ['k'] = "0006 3205 1436",
    ['l'] = "0006",
    ['m'] = "0206 03122326 23324346",
    ['n'] = "0206 0312223336",
    ['o'] = "122233352616050312",
    ['p'] = "0208 0312223335261605",
    ['q'] = "3238 3322120305162635",
    ['r'] = "0206 031222",
    ['s'] = "3212031424352606",
    ['t'] = "101526 0222",
    ['u'] = "0205162635 3236",
    ['v'] = "022642",
    ['w'] = "0216233642",
    ['x'] = "0236 3206",
    ['y'] = "0226 4218",
    ['z'] = "02320636",
    ['{'] = "20101203141626",
    ['|'] = "0007",
    ['}'] = "00101223141606",
    ['~'] = "04132433",
};

#define UNKNOWN "0030360600"

static const char *glyph_of(char letter)
{
    const unsigned char code = (unsigned char)letter;

    return code < 128 && glyphs[code] ? glyphs[code] : UNKNOWN;
}

/* Whether another byte of the same character stood before: UTF-8 gets one box a character. */
static bool continues(char letter)
{
    return ((unsigned char)letter & 0xc0) == 0x80;
}

static double advance_of(char letter)
{
    double widest = 0.0;

    if (letter == ' ')
        return BLANK + SPACING;
    for (const char *at = glyph_of(letter); at[0] && at[1]; at += at[0] == ' ' ? 1 : 2) {
        if (at[0] != ' ')
            widest = fmax(widest, at[0] - '0');
    }
    return widest + SPACING;
}

double zf_lettering_width(const struct zf_lettering *lettering, const char *text)
{
    double units = 0.0;

    for (; *text; text++)
        units += continues(*text) ? 0.0 : advance_of(*text);
    return units * lettering->height / CAPITAL;
}

struct stroke {
    double x0, y0, x1, y1;
};

static double distance_to(struct stroke s, double x, double y)
{
    const double dx = s.x1 - s.x0, dy = s.y1 - s.y0, length = dx * dx + dy * dy;
    double t = length > 0.0 ? ((x - s.x0) * dx + (y - s.y0) * dy) / length : 0.0;

    t = fmin(fmax(t, 0.0), 1.0);
    return hypot(x - s.x0 - t * dx, y - s.y0 - t * dy);
}

/* A stroke with round ends; a pixel is as much ink as its middle is deep in the stroke. */
static void draw_stroke(struct zf_picture *canvas, struct stroke s, double thickness,
                        struct zf_rgb colour)
{
    const uint8_t ink[3] = {colour.r, colour.g, colour.b};
    const double reach = thickness / 2.0 + 1.0;
    const int64_t left = (int64_t)fmax(floor(fmin(s.x0, s.x1) - reach), 0.0);
    const int64_t top = (int64_t)fmax(floor(fmin(s.y0, s.y1) - reach), 0.0);
    const int64_t right = (int64_t)fmin(ceil(fmax(s.x0, s.x1) + reach), (double)canvas->width - 1);
    const int64_t bottom =
        (int64_t)fmin(ceil(fmax(s.y0, s.y1) + reach), (double)canvas->height - 1);

    for (int64_t y = top; y <= bottom; y++) {
        for (int64_t x = left; x <= right; x++) {
            const double depth =
                (thickness + 1.0) / 2.0 - distance_to(s, (double)x + 0.5, (double)y + 0.5);
            const double cover = fmin(fmax(depth, 0.0), 1.0);
            uint8_t *pixel = canvas->pixels + (y * canvas->width + x) * 3;

            for (int c = 0; c < 3; c++)
                pixel[c] = (uint8_t)lround(pixel[c] + cover * (ink[c] - pixel[c]));
        }
    }
}

static void draw_letter(struct zf_picture *canvas, const struct zf_lettering *lettering, double x,
                        double y, char letter)
{
    const double unit = lettering->height / CAPITAL;
    const double thickness = fmax(lettering->height * THICKNESS, 1.1);
    bool down = false;
    double from_x = 0.0, from_y = 0.0;

    for (const char *at = glyph_of(letter); at[0] && at[1];) {
        if (at[0] == ' ') {
            down = false;
            at++;
            continue;
        }
        const double to_x = x + (at[0] - '0') * unit, to_y = y + (at[1] - '0') * unit;

        if (down)
            draw_stroke(canvas, (struct stroke){from_x, from_y, to_x, to_y}, thickness,
                        lettering->colour);
        from_x = to_x;
        from_y = to_y;
        down = true;
        at += 2;
    }
}

void zf_canvas_text(struct zf_picture *canvas, const struct zf_lettering *lettering, double x,
                    double y, double room, const char *text)
{
    const double unit = lettering->height / CAPITAL;
    const bool fits = zf_lettering_width(lettering, text) <= room;
    const double end = x + room - (fits ? 0.0 : zf_lettering_width(lettering, "..."));

    for (; *text; text++) {
        const double advance = continues(*text) ? 0.0 : advance_of(*text) * unit;

        if (!fits && x + advance > end)
            break;
        if (*text != ' ' && !continues(*text))
            draw_letter(canvas, lettering, x, y, *text);
        x += advance;
    }
    for (int dot = 0; !fits && dot < 3; dot++, x += advance_of('.') * unit)
        draw_letter(canvas, lettering, x, y, '.');
}
